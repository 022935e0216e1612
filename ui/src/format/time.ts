// Times as people read them, in the zone that is chosen.

import type { Zone } from "../time/zone";

type Style = "minute" | "second" | "millisecond" | "clock" | "day";

const CLOCK = { hour: "2-digit", minute: "2-digit", hour12: false } as const;
const DAY = { day: "numeric", month: "short" } as const;
const STYLES: Record<Style, Intl.DateTimeFormatOptions> = {
  day: DAY,
  clock: CLOCK,
  minute: { ...DAY, ...CLOCK },
  second: { ...DAY, ...CLOCK, second: "2-digit" },
  millisecond: { ...DAY, ...CLOCK, second: "2-digit", fractionalSecondDigits: 3 },
};

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(style: Style, zone: Zone): Intl.DateTimeFormat {
  const key = `${style} ${zone}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      ...STYLES[style],
      ...(zone === "utc" ? { timeZone: "UTC" } : {}),
    });
    formats.set(key, format);
  }
  return format;
}

/** A time in milliseconds since the epoch: `1 Dec, 14:05:09`. What is none is an en dash. */
export function moment(time: number, zone: Zone, style: Style = "second"): string {
  return Number.isFinite(time) ? formatOf(style, zone).format(time) : "–";
}

/** The same, whole: `2026-12-01 14:05:09.123 UTC`, as a tooltip has it, or somebody copies it. */
export function wholeMoment(time: number, zone: Zone): string {
  if (!Number.isFinite(time)) return "–";
  const date = new Date(time);
  const shift = zone === "utc" ? 0 : -date.getTimezoneOffset();
  const shown = new Date(time + shift * 60_000).toISOString().replace("T", " ").slice(0, 23);
  return `${shown} ${zone === "utc" ? "UTC" : offset(shift)}`;
}

function offset(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
