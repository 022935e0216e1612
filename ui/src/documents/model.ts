// A document's jobs as this view tells of them, from memory or from stored events alike.

import { numberOf, type SqlRow, textOf } from "../api/sql";
import type { Job } from "../api/types";

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
  readonly attempts: readonly Attempt[];
  readonly memoryPeak: number | null;
  readonly pages: number | null;
  /** Why it is held to be stuck; empty when it is not. */
  readonly stuck: string;
}

/** A job in memory. */
export function ofJob(job: Job): DocumentJob {
  return {
    id: job.job_id,
    kind: job.kind ?? null,
    queue: job.queue ?? null,
    status: job.status,
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
  };
}

/** Jobs from rows of `job_events`, oldest first. */
export function ofEvents(rows: readonly SqlRow[]): readonly DocumentJob[] {
  const byJob = new Map<string, SqlRow[]>();
  for (const row of rows) {
    const id = textOf(row, "job_id");
    if (id === null) continue;
    const events = byJob.get(id);
    if (events) events.push(row);
    else byJob.set(id, [row]);
  }
  return [...byJob].map(([id, events]) => ofEventsOf(id, events));
}

function ofEventsOf(id: string, events: readonly SqlRow[]): DocumentJob {
  const last = (name: string) =>
    events.reduce<string | null>((found, row) => textOf(row, name) ?? found, null);
  const most = (name: string) =>
    events.reduce<number | null>((found, row) => {
      const value = numberOf(row, name);
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
    attempts,
    memoryPeak: most("memory_peak_bytes"),
    pages: most("pages"),
    stuck: "",
  };
}

const OUTCOMES: Readonly<Record<string, string>> = {
  "job.completed": "completed",
  "job.failed": "failed",
  "job.retried": "retried",
};

/**
 * The attempts that events tell of, in the order of their times: a start begins another where the last has begun, and an
 * end ends the last. What events call their number is not used: some count the attempt that ended, some the next.
 */
function attemptsOf(events: readonly SqlRow[]): readonly Attempt[] {
  const attempts: Attempt[] = [];
  for (const row of events) {
    const time = timeOf(textOf(row, "time"));
    const action = textOf(row, "action") ?? "";
    const outcome = OUTCOMES[action] ?? null;
    const latest = attempts.at(-1);
    if (latest === undefined || (action === "job.started" && latest.startedAt !== null))
      attempts.push(freshAttempt(attempts));
    const place = attempts.length - 1;
    const attempt = attempts[place] ?? freshAttempt([]);
    const submitted = timeOf(textOf(row, "submitted_at")) ?? (action === "job.submitted" ? time : null);
    const started = timeOf(textOf(row, "started_at")) ?? (action === "job.started" ? time : null);
    attempts[place] = {
      ...attempt,
      queuedAt: attempt.queuedAt ?? submitted,
      startedAt: attempt.startedAt ?? started,
      worker: textOf(row, "worker_id") ?? attempt.worker,
      ...(outcome === null ? {} : { endedAt: time, outcome, error: errorOf(row) }),
    };
  }
  return attempts;
}

/** The next attempt: it waits from the end of the one before it on. */
function freshAttempt(before: readonly Attempt[]): Attempt {
  const queuedAt = before.at(-1)?.endedAt ?? null;
  const nothing = { startedAt: null, endedAt: null, outcome: null, worker: null, error: null };
  return { number: before.length, queuedAt, ...nothing };
}

function errorOf(row: SqlRow): string | null {
  return wordsOf(textOf(row, "error_type"), textOf(row, "error_message"));
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
