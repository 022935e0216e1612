// A document's jobs as this view tells of them, from memory or from stored events alike.

import type { Job } from "../api/types";
import { numberAt, type SqlRow, textAt } from "../sql/ask";

/** One attempt at a job: it waited, then it ran. Times are in milliseconds since the epoch. */
export interface Attempt {
  readonly number: number;
  readonly queuedAt: number | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** `completed`, `failed` or `retried`; null while it waits or runs. */
  readonly outcome: string | null;
  readonly worker: string | null;
  /** What ended it, in words. */
  readonly error: string | null;
}

export interface DocumentJob {
  readonly id: string;
  readonly kind: string | null;
  readonly queue: string | null;
  /** `pending`, `running`, `completed` or `failed`. */
  readonly status: string;
  readonly parent: string | null;
  readonly attempts: readonly Attempt[];
  readonly memoryPeak: number | null;
  readonly pages: number | null;
  /** Why it is held to be stuck; empty when it is not. */
  readonly stuck: string;
  readonly isInMemory: boolean;
}

/** A job in memory. */
export function ofJob(job: Job): DocumentJob {
  return {
    id: job.job_id,
    kind: job.kind ?? null,
    queue: job.queue ?? null,
    status: job.status,
    parent: job.parent_id ?? null,
    attempts: job.attempts.map((attempt) => ({
      number: attempt.number,
      queuedAt: timeOf(attempt.queued_at),
      startedAt: timeOf(attempt.started_at),
      endedAt: timeOf(attempt.ended_at),
      outcome: attempt.outcome ?? null,
      worker: attempt.worker_id ?? null,
      error: wordsOf(attempt.error?.error_type, attempt.error?.message),
    })),
    memoryPeak: job.memory_peak_bytes ?? null,
    pages: job.pages ?? null,
    stuck: job.judgement.verdict === "fine" ? "" : job.judgement.reason,
    isInMemory: true,
  };
}

/** Jobs from rows of `job_events`, oldest first. */
export function ofEvents(rows: readonly SqlRow[]): readonly DocumentJob[] {
  const byJob = new Map<string, SqlRow[]>();
  for (const row of rows) {
    const id = textAt(row, "job_id");
    if (id === null) continue;
    const events = byJob.get(id);
    if (events) events.push(row);
    else byJob.set(id, [row]);
  }
  return [...byJob].map(([id, events]) => ofEventsOf(id, events));
}

function ofEventsOf(id: string, events: readonly SqlRow[]): DocumentJob {
  const last = (name: string) =>
    events.reduce<string | null>((found, row) => textAt(row, name) ?? found, null);
  const most = (name: string) =>
    events.reduce<number | null>((found, row) => {
      const value = numberAt(row, name);
      return value === null ? found : Math.max(value, found ?? 0);
    }, null);
  const attempts = attemptsOf(events);
  const latest = attempts.at(-1);
  const ended = latest?.outcome === "completed" || latest?.outcome === "failed" ? latest.outcome : null;
  return {
    id,
    kind: last("kind"),
    queue: last("queue"),
    status: ended ?? (latest?.startedAt != null && latest.outcome === null ? "running" : "pending"),
    parent: last("parent_id"),
    attempts,
    memoryPeak: most("memory_peak_bytes"),
    pages: most("pages"),
    stuck: "",
    isInMemory: false,
  };
}

const OUTCOMES: Readonly<Record<string, string>> = {
  "job.completed": "completed",
  "job.failed": "failed",
  "job.retried": "retried",
};

/** The attempts that events tell of, by their numbers. An attempt after another waits from the other's end on. */
function attemptsOf(events: readonly SqlRow[]): readonly Attempt[] {
  const attempts = new Map<number, Attempt>();
  for (const row of events) {
    const time = timeOf(textAt(row, "time"));
    const action = textAt(row, "action") ?? "";
    const outcome = OUTCOMES[action] ?? null;
    const number = numberAt(row, "retry_count") ?? Math.max(0, attempts.size - 1);
    const known = attempts.get(number);
    const submitted = timeOf(textAt(row, "submitted_at")) ?? (action === "job.submitted" ? time : null);
    const started = timeOf(textAt(row, "started_at")) ?? (action === "job.started" ? time : null);
    attempts.set(number, {
      number,
      queuedAt: known?.queuedAt ?? attempts.get(number - 1)?.endedAt ?? submitted,
      startedAt: known?.startedAt ?? started,
      endedAt: outcome === null ? (known?.endedAt ?? null) : time,
      outcome: outcome ?? known?.outcome ?? null,
      worker: textAt(row, "worker_id") ?? known?.worker ?? null,
      error:
        outcome === null
          ? (known?.error ?? null)
          : wordsOf(textAt(row, "error_type"), textAt(row, "error_message")),
    });
  }
  return [...attempts.values()].sort((a, b) => a.number - b.number);
}

/** Those in memory, and of the others what is stored, by when each began. */
export function merged(jobs: readonly DocumentJob[], stored: readonly DocumentJob[]): readonly DocumentJob[] {
  const known = new Set(jobs.map(({ id }) => id));
  const all = [...jobs, ...stored.filter(({ id }) => !known.has(id))];
  return all.sort((a, b) => (beginOf(a) ?? 0) - (beginOf(b) ?? 0));
}

/** When anything of a job was first. */
export function beginOf(job: DocumentJob): number | null {
  const times = job.attempts.flatMap(({ queuedAt, startedAt }) => queuedAt ?? startedAt ?? []);
  return times.length === 0 ? null : Math.min(...times);
}

/** How long an attempt waited and ran, in milliseconds; until `now`, where it still does. */
export function spentOf({ queuedAt, startedAt, endedAt, outcome }: Attempt, now: number) {
  const end = endedAt ?? (outcome === null ? now : startedAt);
  const waited = queuedAt === null ? 0 : Math.max(0, (startedAt ?? end ?? queuedAt) - queuedAt);
  const ran = startedAt === null || end === null ? 0 : Math.max(0, end - startedAt);
  return { waited, ran };
}

function wordsOf(type: string | null | undefined, message: string | null | undefined): string | null {
  return [type, message].filter(Boolean).join(": ") || null;
}

function timeOf(text: string | null | undefined): number | null {
  const time = Date.parse(text ?? "");
  return Number.isFinite(time) ? time : null;
}
