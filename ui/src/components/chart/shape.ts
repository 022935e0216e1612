// How values are drawn.

import type { ChartLine } from "./options";

/** Lines; lines with what is below them filled; the same, each upon the one before; bars; bars upon each other. */
export type Shape = "lines" | "area" | "stacked" | "bars" | "columns";

/** The lines as tops of a stack. Where one has no value, it adds nothing. */
export function stacked(lines: readonly ChartLine[]): readonly ChartLine[] {
  const sums: number[] = [];
  return lines.map((line) => ({
    ...line,
    values: line.values.map((value, place) => {
      const sum = (sums[place] ?? 0) + (value ?? 0);
      sums[place] = sum;
      return value === null && sum === 0 ? null : sum;
    }),
  }));
}

/** The lines as tops of a stack that stands on the last one: drawn in their order, each covers the one before. */
export function columned(lines: readonly ChartLine[]): readonly ChartLine[] {
  return stacked(lines.toReversed()).toReversed();
}
