// What the addresses of queues say.

import { checked, oneOf, type Query, search } from "../address/read";
import { sortingOf } from "../address/sorting";

/** The columns that queues can be sorted by. */
export const QUEUE_COLUMNS = [
  "queue",
  "health",
  "pending",
  "processing",
  "delayed",
  "dead",
  "oldest",
  "in",
  "out",
  "drain",
  "workers",
] as const;

export interface QueuesSearch {
  readonly sort?: string;
}

export function queuesSearch(query: Query): QueuesSearch {
  return search<QueuesSearch>({
    sort: checked(query, "sort", (text) => sortingOf(text, QUEUE_COLUMNS) !== null),
  });
}

/** Where tasks of a queue are. */
export const STATES = ["pending", "processing", "delayed", "dead"] as const;
export type State = (typeof STATES)[number];

/** What people call them. */
export const STATE_NAMES: Readonly<Record<State, string>> = {
  pending: "Waiting",
  processing: "In work",
  delayed: "Delayed",
  dead: "Dead",
};

/** The columns that tasks can be sorted by. */
export const TASK_COLUMNS = ["position", "id", "kind", "age", "score", "priority", "owner", "size"] as const;

export interface QueueSearch {
  /** Which tasks are shown; those that there are, when it is left out. */
  readonly state?: State;
  readonly sort?: string;
}

export function queueSearch(query: Query): QueueSearch {
  return search<QueueSearch>({
    state: oneOf(query, "state", STATES),
    sort: checked(query, "sort", (text) => sortingOf(text, TASK_COLUMNS) !== null),
  });
}
