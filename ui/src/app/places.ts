// Where things that several views name are shown.

/** One job. */
export function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}

/** One trace. */
export function tracePath(id: string): string {
  return `/traces/${encodeURIComponent(id)}`;
}

/** One document. */
export function documentPath(id: string): string {
  return `/documents/${encodeURIComponent(id)}`;
}

/** A search of log records that have a field with this value. */
export function logsSearch(field: "request_id" | "trace_id" | "job_id", value: string): string {
  // In quotes a value has no wildcards, and its own quotes stand behind backslashes.
  return `${field}:"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
