// Over which time a rate is taken, so that it is neither empty nor finer than what is drawn.

import { stepOf, type TimeRange } from "../time/range";
import { spanNow } from "../time/useTimeRange";

/** Metrics of the pipeline are written every 15 seconds: a rate of a minute has several of them. */
const SHORTEST = 60;

/** The window of a rate for a range, as PromQL writes it: `60s`. */
export function rateWindow(range: TimeRange): string {
  const { start, end } = spanNow(range);
  return `${Math.max(SHORTEST, stepOf(Math.round(end - start)))}s`;
}

/** The length of a range, as PromQL writes it. */
export function lengthOf(range: TimeRange): string {
  const { start, end } = spanNow(range);
  return `${Math.max(1, Math.round(end - start))}s`;
}
