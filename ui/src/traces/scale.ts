// Where traces stand in a picture of durations over time. Durations are told apart by their orders.

import type { TraceSummary } from "../api/types";

export interface Area {
  /** In seconds since the epoch. */
  readonly start: number;
  readonly end: number;
  /** In seconds. */
  readonly shortest: number;
  readonly longest: number;
}

const LEAST = 0.0001;

/** What is drawn of traces over a time: from the whole power of ten below the shortest to that above the longest. */
export function areaOf(traces: readonly TraceSummary[], start: number, end: number): Area {
  const durations = traces.map(({ duration_seconds }) => Math.max(LEAST, duration_seconds));
  const [low, high] = [Math.min(...durations), Math.max(...durations)];
  if (durations.length === 0) return { start, end, shortest: 0.001, longest: 10 };
  const below = 10 ** Math.floor(Math.log10(low));
  const above = 10 ** Math.ceil(Math.log10(high));
  return { start, end, shortest: below, longest: above > below ? above : below * 10 };
}

/** Shares of the picture's width and height, from its left and its top. */
export function placeIn(area: Area, time: number, duration: number): readonly [number, number] {
  const height = Math.log10(area.longest / area.shortest);
  const up = Math.log10(Math.max(LEAST, duration) / area.shortest) / height;
  return [(time - area.start) / (area.end - area.start), 1 - up];
}

/** The time and the duration at a place of it. */
export function valueAt(area: Area, left: number, top: number): readonly [number, number] {
  return [
    area.start + left * (area.end - area.start),
    area.shortest * (area.longest / area.shortest) ** (1 - top),
  ];
}

/** The powers of ten that it shows. */
export function powersOf({ shortest, longest }: Area): readonly number[] {
  const amount = Math.round(Math.log10(longest / shortest));
  return Array.from({ length: amount + 1 }, (_, place) => shortest * 10 ** place);
}

/** A duration as a search writes it. */
export function durationText(seconds: number): string {
  if (seconds >= 1) return `${Number(seconds.toPrecision(3))}s`;
  if (seconds >= 0.001) return `${Number((seconds * 1000).toPrecision(3))}ms`;
  return `${Math.max(1, Math.round(seconds * 1e6))}us`;
}
