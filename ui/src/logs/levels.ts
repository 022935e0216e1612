// Levels of log records: the one thing about a line that has a colour.

import type { LogHistogram } from "../api/types";
import type { ChartLine } from "../components/chart/options";
import type { Tone } from "../components/tone";

const TONES: Readonly<Record<string, Tone>> = { fatal: "bad", error: "bad", warn: "warn", info: "idle" };

export function levelTone(level: string | null | undefined): Tone {
  return TONES[level ?? ""] ?? "idle";
}

/** What is drawn apart, the gravest at the bottom of each column. */
const GROUPS: readonly { readonly name: string; readonly tone: Tone; readonly levels: readonly string[] }[] =
  [
    { name: "others", tone: "idle", levels: [] },
    { name: "info", tone: "idle", levels: ["info"] },
    { name: "warnings", tone: "warn", levels: ["warn"] },
    { name: "errors", tone: "bad", levels: ["error", "fatal"] },
  ];

export interface LevelChart {
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly span: readonly [number, number];
}

/** A histogram by level as columns over time. */
export function levelChart(histogram: LogHistogram): LevelChart {
  const start = Date.parse(histogram.start) / 1000;
  const { step_seconds: step, buckets } = histogram;
  const places = Array.from({ length: buckets }, (_, place) => place);
  const groupOf = (value: string | null | undefined) =>
    GROUPS.find(({ levels }) => levels.includes(value ?? "")) ?? GROUPS[0];
  const lines = GROUPS.map((group) => {
    const series = histogram.series.filter(({ value }) => groupOf(value) === group);
    const more = group === GROUPS[0] ? histogram.others : [];
    const count = (place: number) =>
      series.reduce((sum, { counts }) => sum + (counts[place] ?? 0), more[place] ?? 0);
    return { name: group.name, tone: group.tone, values: places.map(count) };
  });
  return { times: places.map((place) => start + place * step), lines, span: [start, start + buckets * step] };
}
