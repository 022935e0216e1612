// The periods that statistics are shown over.

export const PERIODS = ["hour", "day", "week", "month"] as const;

export type Period = (typeof PERIODS)[number];

export const PERIOD_NAMES: Record<Period, string> = {
  hour: "Last hour",
  day: "Last day",
  week: "Last week",
  month: "Last month",
};

/** The period in an address; an hour when there is none, or none that we know. */
export function periodOf(value: unknown): Period {
  return PERIODS.find((period) => period === value) ?? "hour";
}

const HOUR = 3_600;

/** How long a period is, in seconds. */
export const PERIOD_SECONDS: Record<Period, number> = {
  hour: HOUR,
  day: 24 * HOUR,
  week: 7 * 24 * HOUR,
  month: 30 * 24 * HOUR,
};
