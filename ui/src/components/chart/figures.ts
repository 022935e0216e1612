// The figures of a line over the time that is shown.

export interface Figures {
  readonly min: number | null;
  readonly average: number | null;
  readonly max: number | null;
  readonly last: number | null;
}

/** Of no value at all, none. */
export function figuresOf(values: readonly (number | null)[]): Figures {
  let [min, max, sum, amount] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  let last: number | null = null;
  for (const value of values) {
    if (value === null) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    amount += 1;
    last = value;
  }
  if (amount === 0) return { min: null, average: null, max: null, last };
  return { min, average: sum / amount, max, last };
}
