// The unit of what is shown, as far as names tell it.

import { bytes, decimal, seconds } from "../format/format";
import type { Labels } from "./answer";

/** How values of these series are shown. What a function has made of a metric has no name, and no unit. */
export function showOf(metrics: readonly Labels[]): (value: number) => string {
  const all = (unit: RegExp) => metrics.every(({ __name__: name }) => name !== undefined && unit.test(name));
  if (metrics.length === 0) return decimal;
  if (all(/_bytes(_total)?$/)) return bytes;
  // Dates are seconds, too, but no durations.
  if (all(/(?<!time|timestamp)_seconds(_total|_sum)?$/)) return seconds;
  return decimal;
}
