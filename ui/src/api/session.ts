// Who uses the page.

import { type QueryClient, queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, get, post, setCsrfToken } from "./client";
import type { Session } from "./types";

/** The session, or null when nobody is logged in. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return kept(await get<Session>("/api/v1/session", signal));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: Number.POSITIVE_INFINITY,
});

function kept(session: Session): Session {
  setCsrfToken(session.csrf_token);
  return session;
}

export function useSession(): Session | null {
  return useQuery(sessionQuery).data ?? null;
}

/** Whether the user may acknowledge and resolve. */
export function useMayOperate(): boolean {
  return useSession()?.scopes.some((scope) => scope === "operate" || scope === "admin") ?? false;
}

/** Whether the user may look after users, keys and the audit log. */
export function useMayAdminister(): boolean {
  return useSession()?.scopes.includes("admin") ?? false;
}

interface Credentials {
  readonly username: string;
  readonly password: string;
}

export function useLogin() {
  const client = useQueryClient();
  return useMutation({
    mutationKey: ["login"],
    mutationFn: (credentials: Credentials) => post<Session>("/api/v1/login", credentials),
    onSuccess: (session) => client.setQueryData(sessionQuery.queryKey, kept(session)),
  });
}

export function useLogout() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => post<void>("/api/v1/logout"),
    // Also when the server says no: the session is over then, too.
    onSettled: () => forgetSession(client),
  });
}

/** Nobody is logged in any more: nothing that was shown may stay in memory. */
export function forgetSession(client: QueryClient): void {
  setCsrfToken(null);
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== sessionQuery.queryKey[0] });
  client.setQueryData(sessionQuery.queryKey, null);
}
