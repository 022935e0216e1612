// Expressions over the buckets of histograms.

import type { Labels } from "./answer";
import { quoted } from "./labels";

/** The part of a selector between its braces. What is empty selects nothing in particular. */
export function matchers(labels: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(labels)
    .filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "")
    .map(([label, value]) => `${label}=${quoted(value)}`)
    .join(",");
}

const NAMES: readonly (readonly [number, string])[] = [
  [0.5, "50th percentile"],
  [0.95, "95th percentile"],
  [0.99, "99th percentile"],
];

/** The 50th, the 95th and the 99th percentile of a histogram, each as a series with the label `quantile`. */
export function quantilesExpr(metric: string, selector: string, window: string): string {
  return NAMES.map(
    ([share, name]) =>
      `label_replace(histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket{${selector}}[${window}]))), "quantile", "${name}", "", "")`,
  ).join(" or ");
}

/** What such a series is called. */
export function quantileName({ quantile = "" }: Labels): string {
  return quantile;
}

/** The buckets of a histogram, per second, for a heatmap. */
export function bucketsExpr(metric: string, selector: string, window: string): string {
  return `sum by (le) (rate(${metric}_bucket{${selector}}[${window}]))`;
}
