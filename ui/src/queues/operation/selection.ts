// Which tasks somebody means, as the form has it and as the API wants it.

import type { Operation } from "../../api/types";
import type { State } from "../address";

export type Which = "chosen" | "no_owner" | "older" | "all";

export interface Selection {
  readonly action: "requeue" | "remove";
  readonly state: State;
  readonly which: Which;
  /** Those that were chosen in the table. */
  readonly ids: readonly string[];
  /** How long they have been there at least: `10m`. */
  readonly olderThan: string;
}

/** What asks for a preview. */
export function previewOf({ action, state, which, ids, olderThan }: Selection): Operation {
  switch (which) {
    case "chosen":
      return { action, tasks: { state, ids: [...ids] } };
    case "no_owner":
      return { action, tasks: { state, no_owner: true } };
    case "older":
      return { action, tasks: { state, older_than: olderThan.trim() } };
    case "all":
      return { action, tasks: { state, all: true } };
  }
}

/** What can be meant in a state: only what is in work can be without an owner. */
export function offered(state: State, chosen: number): readonly Which[] {
  return [
    ...(chosen > 0 ? (["chosen"] as const) : []),
    ...(state === "processing" ? (["no_owner"] as const) : []),
    "older",
    "all",
  ];
}

/** What is done, in words. */
export const ACTIONS = {
  requeue: { name: "Queue again", say: (tasks: string) => `queue ${tasks} again`, done: "queued again" },
  remove: { name: "Remove", say: (tasks: string) => `remove ${tasks}`, done: "removed" },
} as const;

/** The words of an answer's action. */
export function wordsOf(action: string) {
  return action === "remove" ? ACTIONS.remove : ACTIONS.requeue;
}
