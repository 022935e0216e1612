// A histogram over time as a heatmap wants it: how many observations lie between two bounds at each time.

/** A series of cumulative buckets: how many observations per second are at most `le`. */
export interface CumulativeBucket {
  readonly le: number;
  readonly values: readonly (number | null)[];
}

/** What lies between two bounds; the last has none above. */
export interface Band {
  readonly low: number;
  readonly high: number;
  readonly values: readonly (number | null)[];
}

/** The bands of cumulative buckets, the lowest first, without those at either end in which nothing ever was. */
export function bandsOf(buckets: readonly CumulativeBucket[]): readonly Band[] {
  const sorted = buckets.filter(({ le }) => !Number.isNaN(le)).toSorted((a, b) => a.le - b.le);
  const bands = sorted.map(({ le, values }, place) => {
    const below = sorted[place - 1];
    return {
      low: below?.le ?? 0,
      high: le,
      values: values.map((value, time) => {
        if (value === null) return null;
        // Buckets that were read at slightly different times may cross: nothing is less than none.
        return Math.max(0, value - (below?.values[time] ?? 0));
      }),
    };
  });
  const has = ({ values }: Band) => values.some((value) => value !== null && value > 0);
  const first = bands.findIndex(has);
  return first === -1 ? [] : bands.slice(first, bands.findLastIndex(has) + 1);
}

/** The most in any cell. */
export function mostOf(bands: readonly Band[]): number {
  let most = 0;
  for (const { values } of bands) for (const value of values) most = Math.max(most, value ?? 0);
  return most;
}

/** How dark a cell is, 0 to 1. By the root of its share: else a few rare slow ones could not be seen. */
export function darkness(value: number | null, most: number): number {
  if (value === null || value <= 0 || most <= 0) return 0;
  return 0.08 + 0.92 * Math.sqrt(Math.min(1, value / most));
}

/** A band as it is called: `100 ms to 250 ms`, `over 5 min`. */
export function bandName({ low, high }: Pick<Band, "low" | "high">, show: (value: number) => string): string {
  if (high === Number.POSITIVE_INFINITY) return `over ${show(low)}`;
  return low === 0 ? `up to ${show(high)}` : `${show(low)} to ${show(high)}`;
}

/** The band with the most of all; null when there is none. */
export function fullestOf(bands: readonly Band[]): Band | null {
  const sums = bands.map(({ values }) => values.reduce<number>((sum, value) => sum + (value ?? 0), 0));
  return bands[sums.indexOf(Math.max(...sums))] ?? null;
}
