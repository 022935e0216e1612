// How long tasks waited: the buckets of a histogram, apart.

import type { Answer } from "../metrics/answer";

export interface Bucket {
  /** Its ends in seconds; the last has no upper one. */
  readonly from: number;
  readonly to: number;
  /** How many waited so long. */
  readonly amount: number;
  /** The share of all that waited so long or less, 0 to 1. */
  readonly upTo: number;
}

/** The buckets of an answer with a value for each `le`, without those at both ends in which there is nothing. */
export function bucketsOf(answer: Answer): readonly Bucket[] {
  const samples = answer.data.resultType === "vector" ? answer.data.result : [];
  const bounds = samples
    .flatMap(({ metric, value }) => {
      const to = metric.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(metric.le);
      const below = Number(value?.[1]);
      return Number.isNaN(to) || !Number.isFinite(below) ? [] : [{ to, below }];
    })
    .sort((a, b) => a.to - b.to);
  const all = bounds.at(-1)?.below ?? 0;
  if (all <= 0) return [];
  const buckets = bounds.map(({ to, below }, place): Bucket => {
    const before = bounds[place - 1];
    // Increases are reckoned, and may stand in the wrong order by a little.
    const amount = Math.max(0, Math.round(below - (before?.below ?? 0)));
    return { from: before?.to ?? 0, to, amount, upTo: Math.min(1, below / all) };
  });
  const first = buckets.findIndex(({ amount }) => amount > 0);
  const last = buckets.findLastIndex(({ amount }) => amount > 0);
  return first === -1 ? [] : buckets.slice(first, last + 1);
}
