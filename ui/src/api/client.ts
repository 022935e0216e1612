// Asking the server. Errors are problems (RFC 9457): they carry a sentence for people.

import type { Fault } from "./types";

/** An answer that is no success; `status` is 0 when no answer came at all. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    message: string,
    /** What is wrong with a query, and where. */
    readonly fault: Fault | null = null,
  ) {
    super(message);
  }
}

let csrfToken = "";

/** The token of the session, which every change repeats. */
export function setCsrfToken(token: string | null | undefined): void {
  csrfToken = token ?? "";
}

async function ask(path: string, options: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "The server cannot be reached.");
  }
  if (response.ok) return response;
  throw await errorOf(response);
}

async function errorOf(response: Response): Promise<ApiError> {
  const fallback = `The server answered ${response.status} ${response.statusText}`.trim();
  try {
    const problem: unknown = await response.json();
    if (typeof problem === "object" && problem !== null) {
      // The API of Prometheus has its sentence in `error`.
      const { detail, error, fault } = problem as Readonly<Record<string, unknown>>;
      const text = [detail, error].find((text) => typeof text === "string" && text !== "");
      return new ApiError(response.status, text?.toString() ?? fallback, faultOf(fault));
    }
  } catch {
    // No JSON: a proxy between us and the server.
  }
  return new ApiError(response.status, fallback);
}

function faultOf(fault: unknown): Fault | null {
  const isFault = typeof fault === "object" && fault !== null && "start" in fault && "message" in fault;
  return isFault ? (fault as Fault) : null;
}

/** Asks for something. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await ask(path, signal ? { signal } : {});
  return (await response.json()) as T;
}

/** Changes something; gives what the server says then. */
export function post<T>(path: string, body?: unknown): Promise<T> {
  return change("POST", path, body);
}

/** Takes something away. */
export function remove(path: string): Promise<void> {
  return change("DELETE", path);
}

async function change<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { "X-CSRF-Token": csrfToken };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const options: RequestInit = { method, headers };
  if (body !== undefined) options.body = JSON.stringify(body);
  const response = await ask(path, options);
  return (response.status === 204 ? undefined : await response.json()) as T;
}
