// How long a stage takes as a rule, and how a bar compares with it.

import type { Tone } from "../../components/tone";
import { brief, seconds } from "../../format/format";
import type { Answer } from "../../metrics/answer";
import type { JobDetail, JobStage } from "../types";
import { millis } from "./rows";

/** Half of a stage's runs are done within `p50` seconds, and 95 % within `p95`. */
export interface Usual {
  readonly p50: number;
  readonly p95: number;
}

/** The usual durations by stage, of an answer whose label `q` says which quantile a value is. */
export function usualOf(answer: Answer): ReadonlyMap<string, Usual> {
  const found = new Map<string, { p50?: number; p95?: number }>();
  if (answer.data.resultType !== "vector") return new Map();
  for (const { metric, value } of answer.data.result) {
    const number = Number(value?.[1]);
    if (metric.stage === undefined || !Number.isFinite(number)) continue;
    const one = found.get(metric.stage) ?? {};
    found.set(metric.stage, metric.q === "0.95" ? { ...one, p95: number } : { ...one, p50: number });
  }
  return new Map(
    [...found].flatMap(([stage, { p50, p95 }]) =>
      p50 === undefined || p95 === undefined ? [] : [[stage, { p50, p95 }] as const],
    ),
  );
}

/** What is asked for them, in PromQL. */
export function usualExpr(stages: readonly string[]): string {
  const matcher = `stage=~${JSON.stringify(stages.map(literal).join("|"))}`;
  const quantile = (q: string) =>
    `label_replace(histogram_quantile(${q}, sum by (le, stage) (rate(stage_duration_seconds_bucket{${matcher}}[1d]))), "q", "${q}", "", "")`;
  return `${quantile("0.5")} or ${quantile("0.95")}`;
}

/** A text as a regular expression that matches it alone. */
function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** How a duration compares with the usual ones, where there is something to say. */
export function comparison(
  stage: JobStage,
  usual: Usual | undefined,
): { readonly tone: Tone; readonly text: string } | null {
  const took = stage.duration_seconds;
  if (!usual || took == null) return null;
  const text = `p50 ${seconds(usual.p50)}, p95 ${seconds(usual.p95)}`;
  return { tone: took > usual.p95 ? "warn" : "idle", text };
}

/** When a job that runs will be done: as it tells itself, or else when its present stage usually is. Null of others. */
export function doneBy(job: JobDetail, usual: ReadonlyMap<string, Usual>, now: number): number | null {
  if (job.status !== "running") return null;
  if (job.eta_seconds != null) return now + job.eta_seconds * 1000;
  const ends = job.stages.flatMap((stage) => {
    const [start, one] = [millis(stage.started_at), usual.get(stage.stage)];
    return stage.running && start !== null && one ? [start + one.p95 * 1000] : [];
  });
  return ends.length === 0 ? null : Math.max(...ends);
}

/** What is to come, in words: `about 3 min to go`, `12 s longer than 95 % of its like`. */
export function outlook(job: JobDetail, usual: ReadonlyMap<string, Usual>, now: number): string | null {
  const done = doneBy(job, usual, now);
  if (done === null) return null;
  const left = (done - now) / 1000;
  if (job.eta_seconds != null) return `about ${brief(left)} to go`;
  if (left >= 0) return `its stage is done within ${brief(left)}, as 95 % of its like are`;
  return `its stage runs ${brief(-left)} longer than 95 % of its like`;
}
