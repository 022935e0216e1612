// An answer of `query_range` as a chart wants it.

import { DEFAULT_RANGE, type Span, spanOf, stepOf, type TimeRange } from "../time/range";
import type { Annotations, Answer, Labels, Series } from "./answer";
import { seriesName } from "./labels";
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
  readonly labels: Labels;
  /** One for each of the graph's times; null where there is none. */
  readonly values: readonly (number | null)[];
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

/** The widest grid that times lie on, in seconds: what is newest is not to wait longer than that. */
const GRID = 15;

/** The times of a range at `now`, in milliseconds. Where steps are short they lie on whole ones, and stand still. */
export function windowOf(range: TimeRange, now: number): Window {
  const { start, end } = spanOf(range, now) ?? (spanOf(DEFAULT_RANGE, now) as Span);
  const step = stepOf(end - start);
  const grid = Math.min(step, GRID);
  const last = Math.floor(end / grid) * grid;
  return { start: last - Math.floor((end - start) / step) * step, end: last, step };
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
    lines: drawn.map((one) => lineOf(one, window, length)),
    more: numbers.length - drawn.length,
    histograms: series.length - numbers.length,
    show,
    annotations: answer,
  };
}

function lineOf({ metric, values = [] }: Series, window: Window, length: number): Line {
  const placed = new Array<number | null>(length).fill(null);
  for (const [time, text] of values) {
    const place = Math.round((time - window.start) / window.step);
    if (place >= 0 && place < length) placed[place] = finite(text);
  }
  return { name: seriesName(metric), labels: metric, values: placed };
}

/** The number of a text; null of NaN and the infinities, which no chart can draw. */
function finite(text: string): number | null {
  const number = Number(text);
  return Number.isFinite(number) ? number : null;
}
