// Sums, and money.

/** The sum of what is known; null when nothing is. */
export function total<T>(rows: readonly T[], value: (row: T) => number | null): number | null {
  const known = rows.map(value).filter((one) => one !== null);
  return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0);
}

/** US dollars: $12.30, and $0.0042 where it is little. */
export function dollars(value: number | null): string {
  if (value === null) return "–";
  return `$${value === 0 || value >= 1 ? value.toFixed(2) : value.toPrecision(2)}`;
}
