// Numbers as people read them, always with their unit. What is not known is an en dash.

export const UNKNOWN = "–";

type Maybe = number | null | undefined;

function isKnown(value: Maybe): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** 1,234; from 100,000 on 1.2M. */
export function count(value: Maybe): string {
  if (!isKnown(value)) return UNKNOWN;
  return Math.abs(value) >= 100_000 ? compact.format(value) : whole.format(value);
}

const plain = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const precise = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });

/** A number whose unit is not known: 12,345, 0.25, 1.235M, 1.2e-7. */
export function decimal(value: Maybe): string {
  if (!isKnown(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size >= 1e15 || (size < 0.0001 && size > 0)) return Number(value.toPrecision(4)).toExponential();
  return size >= 100_000 ? precise.format(value) : plain.format(value);
}

/** A duration given in seconds: 240 ms, 4.2 s, 3 min 20 s, 2 h 5 min, 4 d 3 h. */
export function seconds(value: Maybe): string {
  if (!isKnown(value)) return UNKNOWN;
  if (value < 0) return `−${seconds(-value)}`;
  if (value === 0) return "0 s";
  if (value < 0.001) return "<1 ms";
  if (value < 0.9995) return `${Math.round(value * 1000)} ms`;
  if (value < 9.95) return `${value.toFixed(1)} s`;
  const all = Math.round(value);
  if (all < 60) return `${all} s`;
  if (all < 3600) return two(Math.floor(all / 60), "min", all < 600 ? all % 60 : 0, "s");
  if (all < 86_400) return two(Math.floor(all / 3600), "h", Math.floor((all % 3600) / 60), "min");
  return two(Math.floor(all / 86_400), "d", Math.floor((all % 86_400) / 3600), "h");
}

/** The same in its largest unit alone, for where there is little room: 3 min, 2 h. */
export function brief(value: Maybe): string {
  return seconds(value).split(" ").slice(0, 2).join(" ");
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small > 0 ? `${large} ${largeUnit} ${small} ${smallUnit}` : `${large} ${largeUnit}`;
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** A size given in bytes, by powers of 1024: 812 MiB, 1.4 GiB. */
export function bytes(value: Maybe): string {
  if (!isKnown(value)) return UNKNOWN;
  let rest = Math.abs(value);
  let unit = 0;
  while (rest >= 1023.5 && unit < SIZES.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && rest < 9.95 ? 1 : 0;
  return `${value < 0 ? "−" : ""}${rest.toFixed(digits)} ${SIZES[unit]}`;
}

/** A share of 0 to 1, in percent. */
export function ratio(value: Maybe, digits = 0): string {
  return isKnown(value) ? percent(value * 100, digits) : UNKNOWN;
}

/** A share of 0 to 100, in percent. */
export function percent(value: Maybe, digits = 0): string {
  return isKnown(value) ? `${value.toFixed(digits)} %` : UNKNOWN;
}

/** A rate given per second, as people count: per minute, or per second where it is high. */
export function rate(perSecond: Maybe): string {
  if (!isKnown(perSecond)) return UNKNOWN;
  if (perSecond >= 10) return `${count(perSecond)}/s`;
  const perMinute = perSecond * 60;
  return `${perMinute.toFixed(perMinute > 0 && perMinute < 9.95 ? 1 : 0)}/min`;
}

/** How long ago a time was, at `now` in milliseconds. */
export function ago(time: string | null | undefined, now: number): string {
  if (!time) return UNKNOWN;
  const passed = Math.max(0, (now - Date.parse(time)) / 1000);
  if (Number.isNaN(passed)) return UNKNOWN;
  if (passed < 1) return "now";
  return passed < 9.5 ? `${Math.round(passed)} s ago` : `${brief(passed)} ago`;
}
