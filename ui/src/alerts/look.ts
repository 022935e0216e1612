// How states and severities look and are told.

import type { Tone } from "../components/tone";

/** The colour of a state of an alert. One that fires has that of its severity. */
export function stateTone(state: string): Tone {
  switch (state) {
    case "resolved":
      return "good";
    case "acknowledged":
      return "note";
    default:
      return "idle";
  }
}

/** A state as people say it. */
export function stateWord(state: string): string {
  return state === "pending" ? "about to fire" : state;
}
