// Where what an alert's labels name is shown. The pages are named by their paths alone: they are other features'.

import type { Labels } from "../metrics/answer";

type Place = (value: string) => string;

const path =
  (area: string): Place =>
  (value) =>
    `/${area}/${encodeURIComponent(value)}`;

const query =
  (area: string, name: string): Place =>
  (value) =>
    `/${area}?${name}=${encodeURIComponent(value)}`;

/** As the server reads labels when it looks for what else there was; `job` is what is scraped and no job. */
const PLACES: Readonly<Record<string, Place>> = {
  queue: path("queues"),
  worker: path("workers"),
  worker_id: path("workers"),
  job_id: path("jobs"),
  document_id: path("documents"),
  stage: query("memory", "stage"),
  kind: query("jobs", "kind"),
  host: path("hosts"),
  host_name: path("hosts"),
  hostname: path("hosts"),
};

/** Labels beside which `kind` is no kind of job: what is probed, and what a host is short of. */
const OTHER_KINDS = ["probe", "resource"];

/** The address of what a label names; null where there is no page of it. */
export function placeOf(name: string, value: string, labels: Labels): string | null {
  if (value === "") return null;
  if (name === "kind" && OTHER_KINDS.some((other) => other in labels)) return null;
  return Object.hasOwn(PLACES, name) ? (PLACES[name]?.(value) ?? null) : null;
}

/** The address of a page that shows what a search finds in a time. */
export function searchPlace(area: "logs" | "traces", q: string, from: string, to: string): string {
  return `/${area}?${new URLSearchParams({ q, from, to })}`;
}
