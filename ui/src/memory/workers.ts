// How much workers hold, how that grows, and when they reach a limit.

import type { Tone } from "../components/tone";
import type { Answer } from "../metrics/answer";

export interface WorkerMemory {
  readonly worker: string;
  readonly held: number;
  /** As a share of its host's memory, 0 to 1. */
  readonly ofHost: number | null;
  /** What it will hold in an hour if it goes on as it did, in bytes. */
  readonly inAnHour: number | null;
  /** Until it holds as much as the limit, in seconds: 0 when it does, null when it does not grow towards it. */
  readonly toLimit: number | null;
}

export const HOUR = 3_600;
/** What is told of a time long after how long it was looked at is a guess: beyond so many times as long, none is told. */
const FAR = 48;

/** What is asked, in PromQL: each label `what` is a figure of a worker. `seconds` is how far back it looks. */
export function workersExpr(seconds: number): string {
  const over = `${Math.max(120, Math.round(seconds))}s`;
  const figure = (expr: string, what: string) => `label_replace(${expr}, "what", "${what}", "", "")`;
  return [
    figure("worker_memory_bytes", "held"),
    figure("worker_memory_ratio", "of_host"),
    figure(`predict_linear(worker_memory_bytes[${over}], 0)`, "trend"),
    figure(`predict_linear(worker_memory_bytes[${over}], ${HOUR})`, "in_an_hour"),
  ].join(" or ");
}

/** Workers of an answer, those nearest to the limit first. */
export function workersOf(answer: Answer, limit: number, seconds: number): readonly WorkerMemory[] {
  const figures = new Map<string, Record<string, number>>();
  if (answer.data.resultType !== "vector") return [];
  for (const { metric, value } of answer.data.result) {
    const number = Number(value?.[1]);
    if (metric.worker === undefined || metric.what === undefined || !Number.isFinite(number)) continue;
    figures.set(metric.worker, { ...figures.get(metric.worker), [metric.what]: number });
  }
  const workers = [...figures].flatMap(([worker, { held, of_host, trend, in_an_hour }]) => {
    if (held === undefined) return [];
    const growth = trend === undefined || in_an_hour === undefined ? 0 : (in_an_hour - trend) / HOUR;
    return [
      {
        worker,
        held,
        ofHost: of_host ?? null,
        inAnHour: in_an_hour === undefined ? null : Math.max(0, in_an_hour),
        toLimit: timeTo(limit - held, growth, FAR * seconds),
      },
    ];
  });
  const soon = ({ toLimit }: WorkerMemory) => toLimit ?? Number.POSITIVE_INFINITY;
  return workers.sort((a, b) => (soon(a) === soon(b) ? b.held - a.held : soon(a) - soon(b)));
}

function timeTo(left: number, growth: number, farthest: number): number | null {
  if (left <= 0) return 0;
  const time = left / growth;
  return growth > 0 && time <= farthest ? time : null;
}

/** How urgent it is. */
export function toneOf({ toLimit }: WorkerMemory): Tone {
  if (toLimit === 0) return "bad";
  return toLimit !== null && toLimit < HOUR ? "warn" : "idle";
}
