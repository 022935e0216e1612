// An answer of `query_range` as a chart wants it.

import type { Annotations, Answer, Series } from "./answer";
import { seriesName } from "./labels";
import { RANGE_SECONDS, type Range, stepOf } from "./range";
import { showOf } from "./unit";

/** The most lines that are drawn; series beyond are counted. */
export const MAX_LINES = 50;

/** Which times are asked for, in seconds. */
export interface Window {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

export interface Line {
  readonly name: string;
  /** One for each of the graph's times; null where there is none. */
  readonly values: readonly (number | null)[];
  /** The last value, with its unit. */
  readonly last: string;
}

export interface Graph {
  readonly window: Window;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** How many series are not drawn for want of room. */
  readonly more: number;
  /** How many series hold histograms alone, which have no line. */
  readonly histograms: number;
  readonly show: (value: number) => string;
  readonly annotations: Annotations;
}

/** The times of a range that ends at `end`, or at `now` in milliseconds. */
export function windowOf(range: Range, end: string | undefined, now: number): Window {
  const last = Math.floor((end === undefined ? now : Date.parse(end)) / 1000);
  return { start: last - RANGE_SECONDS[range], end: last, step: stepOf(RANGE_SECONDS[range]) };
}

/** The lines of an answer. */
export function graphOf(answer: Answer, window: Window): Graph {
  const series = answer.data.resultType === "matrix" ? answer.data.result : [];
  const numbers = series.filter(({ values }) => values !== undefined && values.length > 0);
  const drawn = numbers.slice(0, MAX_LINES);
  const show = showOf(drawn.map(({ metric }) => metric));
  const length = Math.floor((window.end - window.start) / window.step) + 1;
  return {
    window,
    times: Array.from({ length }, (_, place) => window.start + place * window.step),
    lines: drawn.map((one) => lineOf(one, window, length, show)),
    more: numbers.length - drawn.length,
    histograms: series.length - numbers.length,
    show,
    annotations: answer,
  };
}

function lineOf({ metric, values = [] }: Series, window: Window, length: number, show: Graph["show"]): Line {
  const placed = new Array<number | null>(length).fill(null);
  for (const [time, text] of values) {
    const place = Math.round((time - window.start) / window.step);
    if (place >= 0 && place < length) placed[place] = finite(text);
  }
  const last = values.at(-1)?.[1] ?? "";
  const number = finite(last);
  return { name: seriesName(metric), values: placed, last: number === null ? last : show(number) };
}

/** The number of a text; null of NaN and the infinities, which no chart can draw. */
function finite(text: string): number | null {
  const number = Number(text);
  return Number.isFinite(number) ? number : null;
}
