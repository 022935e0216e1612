// An answer of `query` as rows of a table.

import type { Annotations, Answer, Data, Histogram, Series } from "../metrics/answer";
import { seriesName } from "../metrics/labels";

/** The most rows that are shown, and the most points of a row; others are counted. */
export const MAX_ROWS = 500;
export const MAX_POINTS = 20;

export interface Row {
  readonly name: string;
  /** One value; of a range vector a value for each of its times, the newest first. */
  readonly values: readonly string[];
  /** How many values are not shown. */
  readonly more: number;
}

export interface Rows {
  readonly rows: readonly Row[];
  /** How many rows are not shown. */
  readonly more: number;
  readonly annotations: Annotations;
}

/** The rows of an answer. */
export function rowsOf(answer: Answer): Rows {
  const { data } = answer;
  const all = data.resultType === "scalar" || data.resultType === "string" ? 1 : data.result.length;
  return { rows: shown(data), more: Math.max(0, all - MAX_ROWS), annotations: answer };
}

function shown(data: Data): readonly Row[] {
  switch (data.resultType) {
    case "scalar":
    case "string":
      return [{ name: data.resultType, values: [data.result[1]], more: 0 }];
    case "vector":
      return data.result.slice(0, MAX_ROWS).map(({ metric, value, histogram }) => ({
        name: seriesName(metric),
        values: [histogram ? words(histogram[1]) : (value?.[1] ?? "")],
        more: 0,
      }));
    case "matrix":
      return data.result.slice(0, MAX_ROWS).map(rowOver);
  }
}

function rowOver({ metric, values = [], histograms = [] }: Series): Row {
  const points = [...values, ...histograms].sort(([a], [b]) => b - a);
  return {
    name: seriesName(metric),
    values: points.slice(0, MAX_POINTS).map(([time, value]) => {
      return `${typeof value === "string" ? value : words(value)} @ ${new Date(time * 1000).toISOString()}`;
    }),
    more: Math.max(0, points.length - MAX_POINTS),
  };
}

function words({ count, sum }: Histogram): string {
  return `count ${count}, sum ${sum}`;
}
