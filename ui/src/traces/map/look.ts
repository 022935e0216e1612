// How services and requests of the map do: the only thing about them that has a colour.

import type { Tone } from "../../components/tone";

/** From which share of failures on something is a warning, and from which it is bad. */
const [WARN, BAD] = [0.01, 0.05];

export function errorTone(ratio: number | null | undefined): Tone {
  if (ratio === null || ratio === undefined) return "idle";
  return ratio >= BAD ? "bad" : ratio >= WARN ? "warn" : "idle";
}

/** How wide a line is, by how often it is used: one more for each power of ten. */
export function widthOf(rate: number, busiest: number): number {
  if (rate <= 0 || busiest <= 0) return 1;
  return Math.max(1, 4 + Math.log10(rate / busiest));
}
