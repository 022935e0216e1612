// What a status says.

import type { Tone } from "../components/tone";

/** Well, the client's fault, or ours. */
export function statusTone(status: number): Tone {
  if (status >= 500) return "bad";
  if (status >= 400) return "warn";
  return status >= 300 ? "idle" : "good";
}
