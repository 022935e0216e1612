// What a range of time is: two ends, each of them now, so long before now, or a time.

/** The ends as an address holds them: `now`, `now-6h`, or a time in RFC 3339. */
export interface TimeRange {
  readonly from: string;
  readonly to: string;
}

/** The two ends in seconds since the epoch. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export const DEFAULT_RANGE: TimeRange = { from: "now-1h", to: "now" };

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The ranges that are offered, by how far they look back. */
export const RANGES = ["5m", "15m", "1h", "3h", "6h", "12h", "24h", "2d", "7d", "30d"] as const;

/** The longest and the shortest range, in seconds. */
const LONGEST = 5 * 365 * DAY;
const SHORTEST = 10;

const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNITS = [365 * DAY, 7 * DAY, DAY, HOUR, MINUTE, 1, 0.001];
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** The seconds of a duration as Prometheus writes it (`1d12h`); null when it is none. */
export function durationSeconds(text: string): number | null {
  const amounts = DURATION.exec(text)?.slice(1);
  if (!amounts || text === "") return null;
  return UNITS.reduce((sum, unit, place) => sum + unit * Number(amounts[place] ?? 0), 0);
}

/** The seconds since the epoch of one end, at `now` in milliseconds; null when the text is none. */
export function momentOf(text: string, now: number): number | null {
  if (text === "now") return now / 1000;
  if (text.startsWith("now-")) {
    const back = durationSeconds(text.slice(4));
    return back === null || back > LONGEST ? null : now / 1000 - back;
  }
  if (!TIME.test(text)) return null;
  const time = Date.parse(text);
  return Number.isFinite(time) && time >= 0 ? time / 1000 : null;
}

/** The ends of a range; null when they cannot be read, or stand in the wrong order. */
export function spanOf({ from, to }: TimeRange, now: number): Span | null {
  const [start, end] = [momentOf(from, now), momentOf(to, now)];
  if (start === null || end === null || end - start < SHORTEST || end - start > LONGEST) return null;
  return { start, end };
}

/** Whether it goes on with the clock. */
export function isLive({ to }: TimeRange): boolean {
  return to === "now";
}

/** The range that looks back so far from now. */
export function lastOf(duration: string): TimeRange {
  return { from: `now-${duration}`, to: "now" };
}

/** The range between two times, in whole seconds. */
export function between(start: number, end: number): TimeRange {
  const low = Math.floor(start);
  const high = Math.max(Math.ceil(end), low + SHORTEST);
  return { from: rfc3339(low), to: rfc3339(high) };
}

/** The same length, so many lengths later (before, where it is negative). It never reaches beyond now. */
export function shifted({ start, end }: Span, lengths: number, now: number): TimeRange {
  const length = Math.round(end - start);
  const last = Math.floor(Math.min(end + length * lengths, now / 1000));
  return between(last - length, last);
}

/** Holds the time that a live range shows; of one that is held, as long a range that goes on with the clock. */
export function toggled(range: TimeRange, span: Span, now: number): TimeRange {
  if (isLive(range)) return shifted(span, 0, now);
  const length = Math.round(span.end - span.start);
  return lastOf(RANGES.find((range) => durationSeconds(range) === length) ?? `${length}s`);
}

/** Twice as long, around the same middle. It never reaches beyond now. */
export function widened({ start, end }: Span, now: number): TimeRange {
  const length = end - start;
  const last = Math.min(end + length / 2, now / 1000);
  return between(Math.max(0, last - 2 * length), last);
}

function rfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

/** The time of one end for asking the server: in RFC 3339. */
export function timeOf(seconds: number): string {
  return rfc3339(seconds);
}

/** About how many points a line has. Of 240 each range that is offered has a step in whole seconds. */
const POINTS = 240;

/** The step of a range of so many seconds, in seconds. */
export function stepOf(seconds: number): number {
  return Math.max(1, Math.ceil(seconds / POINTS));
}

const WORDS: readonly (readonly [number, string])[] = [
  [DAY, "day"],
  [HOUR, "hour"],
  [MINUTE, "minute"],
  [1, "second"],
];

/** How far back a range looks, in words: `last 6 hours`. Null when it is not one that ends now. */
export function relativeName({ from, to }: TimeRange): string | null {
  if (to !== "now" || !from.startsWith("now-")) return null;
  const seconds = durationSeconds(from.slice(4));
  if (seconds === null) return null;
  const [unit, word] = WORDS.find(([unit]) => seconds >= unit && seconds % unit === 0) ?? [1, "second"];
  const amount = seconds / unit;
  // A day is said in hours: "last 24 hours" can't be taken for yesterday.
  if (unit === DAY && amount === 1) return "last 24 hours";
  return amount === 1 ? `last ${word}` : `last ${amount} ${word}s`;
}
