// How far back a graph looks, and how far apart its points are.

export const RANGES = ["15m", "1h", "6h", "24h", "7d"] as const;

export type Range = (typeof RANGES)[number];

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long a range is, in seconds. */
export const RANGE_SECONDS: Record<Range, number> = {
  "15m": 15 * MINUTE,
  "1h": HOUR,
  "6h": 6 * HOUR,
  "24h": DAY,
  "7d": 7 * DAY,
};

/** About how many points a line has. Of 240 each range has a step in whole seconds. */
const POINTS = 240;

/** The step of a range of so many seconds, in seconds. */
export function stepOf(seconds: number): number {
  return Math.max(1, Math.ceil(seconds / POINTS));
}

/** The shortest range that holds so many seconds; else the longest that there is. */
export function rangeOver(seconds: number): Range {
  return RANGES.find((range) => RANGE_SECONDS[range] >= seconds) ?? "7d";
}

const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNITS = [365 * DAY, 7 * DAY, DAY, HOUR, MINUTE, 1, 0.001];

/** The seconds of a duration as Prometheus writes it (`1d12h`); null when it is none. */
export function durationSeconds(text: string): number | null {
  const amounts = DURATION.exec(text)?.slice(1);
  if (!amounts || text === "") return null;
  return UNITS.reduce((sum, unit, place) => sum + unit * Number(amounts[place] ?? 0), 0);
}
