// Where things that several views name are shown, by their ids and names.

const path = (area: string) => (id: string) => `/${area}/${encodeURIComponent(id)}`;

export const documentPath = path("documents");
export const hostPath = path("hosts");
export const jobPath = path("jobs");
export const queuePath = path("queues");
export const tracePath = path("traces");
export const workerPath = path("workers");

/** A search of log records that have a field with this value. */
export function logsSearch(field: "request_id" | "trace_id" | "job_id", value: string): string {
  // In quotes a value has no wildcards, and its own quotes stand behind backslashes.
  return `${field}:"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
