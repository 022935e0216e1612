// The parts of the overview, which the live stream sends one by one.

import type { Overview } from "../api/types";

/** The names of the stream's events: fields of the overview. */
export const PARTS = [
  "jobs",
  "queues",
  "workers",
  "stages",
  "bottleneck",
  "hosts",
  "alerts",
  "collectors_down",
] as const satisfies readonly (keyof Overview)[];

export type Part = (typeof PARTS)[number];

/** The overview with one part anew; null when the text is no JSON. */
export function withPart(overview: Overview, part: Part, text: string): Overview | null {
  try {
    return { ...overview, [part]: JSON.parse(text) };
  } catch {
    return null;
  }
}
