// Points as a chart wants them.

import type { SystemMetric } from "../api/types";
import type { Period } from "./period";

/** How far apart points are, in seconds. */
const STEP: Record<Period, number> = { hour: 30, day: 300, week: 1_800, month: 9_000 };

/** Times in seconds, and values; where points are missing there is a gap, and no line across it. */
export function withGaps(
  metrics: readonly SystemMetric[],
  value: (metric: SystemMetric) => number,
  period: Period,
): [number[], (number | null)[]] {
  const times: number[] = [];
  const values: (number | null)[] = [];
  for (const metric of metrics) {
    const time = Date.parse(metric.timestamp) / 1000;
    const last = times.at(-1);
    if (last !== undefined && time - last > STEP[period] * 3) {
      times.push(last + STEP[period]);
      values.push(null);
    }
    times.push(time);
    values.push(value(metric));
  }
  return [times, values];
}
