// Where on the axis of a waterfall a time stands.
//
// A job may wait an hour and run for a second. Where it waits longer than it runs, the waiting is drawn shorter than it
// is, so that there is room for what happened; it is said wherever that is done.

import type { Row, Stretch } from "./rows";

export interface Tick {
  /** Where it stands, 0 to 1. */
  readonly at: number;
  /** How long after the first time of the axis, in seconds. */
  readonly elapsed: number;
}

export interface Scale {
  readonly start: number;
  readonly end: number;
  /** Whether waiting is drawn shorter than it is. */
  readonly isShortened: boolean;
  readonly ticks: readonly Tick[];
  /** Where a time in milliseconds stands, 0 to 1; those beyond stand at the ends. */
  readonly at: (time: number) => number;
}

interface Piece extends Stretch {
  readonly isWait: boolean;
  /** Where it begins and ends on the axis, 0 to 1. */
  readonly from: number;
  readonly to: number;
}

/** The share of the axis that waiting has where it is shortened. */
const WAIT_SHARE = 0.3;
/** About how many ticks an axis has, and how near to one another they may stand. */
const TICKS = 6;
const NEAREST = 0.11;

/** The axis of these rows, which goes on until `until` where that is later, as of a job that runs. */
export function scaleOf(rows: readonly Row[], until: number | null = null): Scale {
  const stretches = rows.flatMap((row) => [
    ...(row.kind === "attempt" && row.queued ? [row.queued] : []),
    ...(row.run ? [row.run] : []),
  ]);
  const start = stretches.reduce((low, one) => Math.min(low, one.start), Number.POSITIVE_INFINITY);
  const last = stretches.reduce((high, one) => Math.max(high, one.end), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(start)) return scaleBy([], 0, 1, false);
  // An axis without any length has no places.
  const end = Math.max(last, until ?? 0, start + 1);
  const waits = waitsOf(rows);
  const waiting = waits.reduce((sum, one) => sum + one.end - one.start, 0);
  const rest = end - start - waiting;
  const isShortened = rest > 0 && waiting > rest;
  const share = isShortened ? WAIT_SHARE : waiting / (end - start);
  return scaleBy(placed(cut(waits, start, end), waiting, rest, share), start, end, isShortened);
}

/** Where nothing runs and something waits, in order and without overlap. */
function waitsOf(rows: readonly Row[]): readonly Stretch[] {
  const runs = rows.flatMap(({ run }) => (run ? [run] : []));
  const waits = rows.flatMap((row) => (row.kind === "attempt" && row.queued ? [row.queued] : []));
  const free = waits.flatMap((wait) => minus(wait, runs)).sort((a, b) => a.start - b.start);
  const merged: Stretch[] = [];
  for (const one of free) {
    const before = merged.at(-1);
    if (before && one.start <= before.end)
      merged[merged.length - 1] = { start: before.start, end: Math.max(before.end, one.end) };
    else merged.push(one);
  }
  return merged;
}

function minus(whole: Stretch, parts: readonly Stretch[]): readonly Stretch[] {
  return parts
    .reduce<readonly Stretch[]>(
      (left, part) =>
        left.flatMap(({ start, end }) =>
          part.end <= start || part.start >= end
            ? [{ start, end }]
            : [
                { start, end: part.start },
                { start: part.end, end },
              ],
        ),
      [whole],
    )
    .filter(({ start, end }) => end > start);
}

/** The whole axis, in pieces that wait and pieces that do not. */
function cut(
  waits: readonly Stretch[],
  start: number,
  end: number,
): readonly (Stretch & { readonly isWait: boolean })[] {
  const pieces: (Stretch & { readonly isWait: boolean })[] = [];
  let at = start;
  for (const wait of waits) {
    if (wait.start > at) pieces.push({ start: at, end: wait.start, isWait: false });
    pieces.push({ ...wait, isWait: true });
    at = wait.end;
  }
  if (end > at) pieces.push({ start: at, end, isWait: false });
  return pieces;
}

function placed(
  pieces: readonly (Stretch & { readonly isWait: boolean })[],
  waiting: number,
  rest: number,
  share: number,
): readonly Piece[] {
  let from = 0;
  return pieces.map((piece) => {
    const [all, room] = piece.isWait ? [waiting, share] : [rest, 1 - share];
    const to = from + (all === 0 ? 0 : ((piece.end - piece.start) / all) * room);
    const one = { ...piece, from, to };
    from = to;
    return one;
  });
}

function scaleBy(pieces: readonly Piece[], start: number, end: number, isShortened: boolean): Scale {
  const at = (time: number) => {
    if (time <= start) return 0;
    const piece = pieces.find((piece) => time <= piece.end);
    if (!piece) return pieces.length === 0 ? 0 : 1;
    const length = piece.end - piece.start;
    return piece.from + (length === 0 ? 0 : ((time - piece.start) / length) * (piece.to - piece.from));
  };
  const times = isShortened ? pieces.map((piece) => piece.start) : even(start, end);
  return { start, end, isShortened, at, ticks: apart(times, start, at) };
}

/** Times at even steps that are easily read. */
function even(start: number, end: number): readonly number[] {
  const step = stepOf((end - start) / TICKS);
  const amount = Math.floor((end - start) / step);
  return Array.from({ length: amount + 1 }, (_, place) => start + place * step);
}

const NICE = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];

/** The smallest step that is easily read and at least this long, in milliseconds. */
function stepOf(least: number): number {
  if (least > 1000) {
    const found = NICE.find((seconds) => seconds * 1000 >= least);
    return found === undefined ? Math.ceil(least / 86_400_000) * 86_400_000 : found * 1000;
  }
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 0.001)));
  return ([1, 2, 5, 10].find((one) => one * power >= least) ?? 10) * power;
}

/** Ticks that stand not too near to one another, nor to the end. */
function apart(times: readonly number[], start: number, at: Scale["at"]): readonly Tick[] {
  const ticks: Tick[] = [];
  for (const time of times) {
    const place = at(time);
    if (ticks.length > 0 && (place - (ticks.at(-1)?.at ?? 0) < NEAREST || place > 1 - NEAREST / 2)) continue;
    ticks.push({ at: place, elapsed: (time - start) / 1000 });
  }
  return ticks;
}
