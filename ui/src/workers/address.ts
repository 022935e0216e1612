// What the address of the workers says.

import { checked, oneOf, type Query, search, text } from "../address/read";
import { sortingOf } from "../address/sorting";
import { STATUSES, type Status } from "./status";

/** The columns that workers can be sorted by. */
export const WORKER_COLUMNS = [
  "worker",
  "status",
  "heartbeat",
  "capability",
  "queues",
  "job",
  "memory",
  "cpu",
  "done",
  "failed",
  "restarts",
  "crashes",
  "host",
] as const;

export interface WorkersSearch {
  readonly status?: Status;
  readonly capability?: string;
  readonly queue?: string;
  /** Text in the id, the host or the service. */
  readonly q?: string;
  readonly sort?: string;
}

export function workersSearch(query: Query): WorkersSearch {
  return search<WorkersSearch>({
    status: oneOf(query, "status", STATUSES),
    capability: text(query, "capability"),
    queue: text(query, "queue"),
    q: text(query, "q"),
    sort: checked(query, "sort", (text) => sortingOf(text, WORKER_COLUMNS) !== null),
  });
}
