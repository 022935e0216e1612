// The rows of a job's waterfall: its attempts, and below each the stages of that attempt.

import type { Tone } from "../../components/tone";
import type { Attempt, JobDetail, JobError, JobStage } from "../types";

/** A time between two others, in milliseconds since the epoch. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

export interface AttemptRow {
  readonly kind: "attempt";
  readonly id: string;
  readonly number: number;
  readonly tone: Tone;
  /** How it ended, in words. */
  readonly state: string;
  /** While it waited for a worker; null where that is not known. */
  readonly queued: Stretch | null;
  /** While a worker had it; null of one that has not begun. */
  readonly run: Stretch | null;
  readonly worker: string | null;
  readonly error: JobError | null;
}

export interface StageRow {
  readonly kind: "stage";
  readonly id: string;
  readonly stage: JobStage;
  readonly tone: Tone;
  readonly state: string;
  readonly run: Stretch | null;
  readonly error: JobError | null;
}

export type Row = AttemptRow | StageRow;

const OUTCOMES: Record<string, Tone> = { completed: "good", failed: "bad", retried: "warn" };
const STATUSES: Record<string, Tone> = {
  completed: "good",
  completed_empty: "warn",
  failed: "bad",
  skipped: "idle",
};

/** The rows in the order in which they are shown, at `now` in milliseconds. */
export function rowsOf(job: JobDetail, now: number): readonly Row[] {
  const attempts = attemptsOf(job);
  const placed = job.stages.map((stage, place) => ({ place, number: attemptNumber(stage, attempts) }));
  const rows: Row[] = attempts.flatMap((attempt) => [
    attemptRow(attempt, job, now),
    ...placed
      .filter(({ number }) => number === attempt.number)
      .map(({ place }) => stageRow(job, place, attempt, now)),
  ]);
  // A stage may be told of whose attempt is not.
  const known = new Set(attempts.map(({ number }) => number));
  const others = placed.filter(({ number }) => number === null || !known.has(number));
  return [...rows, ...others.map(({ place }) => stageRow(job, place, undefined, now))];
}

/** Attempts, or the one that a job without any waits for. */
function attemptsOf(job: JobDetail): readonly Attempt[] {
  if (job.attempts.length > 0) return [...job.attempts].sort((a, b) => a.number - b.number);
  const isWaiting = job.status === "pending";
  if (!isWaiting && !job.started_at) return [];
  return [
    {
      number: 0,
      queued_at: job.submitted_at ?? job.first_event_at,
      started_at: job.started_at ?? null,
      ended_at: job.ended_at ?? null,
      outcome: isWaiting || job.status === "running" ? null : job.status,
      worker_id: job.worker_id ?? null,
      error: job.error ?? null,
    },
  ];
}

/** The attempt of a stage: the one that it names, or the last that had begun when it did. */
function attemptNumber(stage: JobStage, attempts: readonly Attempt[]): number | null {
  if (stage.attempt != null) return stage.attempt;
  const began = millis(stage.started_at ?? stage.ended_at);
  const last = attempts.findLast(({ started_at }) => {
    const start = millis(started_at);
    return began !== null && start !== null && start <= began;
  });
  return last?.number ?? attempts[0]?.number ?? null;
}

function attemptRow(attempt: Attempt, job: JobDetail, now: number): AttemptRow {
  const start = millis(attempt.started_at);
  const end = millis(attempt.ended_at);
  const queued = millis(attempt.queued_at);
  const isOver = attempt.outcome != null || end !== null;
  const isGoing = !isOver && (job.status === "running" || job.status === "pending");
  const last = millis(job.last_event_at) ?? now;
  const until = end ?? (isGoing ? now : last);
  return {
    kind: "attempt",
    id: `attempt-${attempt.number}`,
    number: attempt.number,
    tone: OUTCOMES[attempt.outcome ?? ""] ?? (start === null || !isGoing ? "idle" : "note"),
    state: attempt.outcome ?? (start === null ? "waits" : isGoing ? "runs" : "no end was told"),
    queued: queued === null ? null : stretch(queued, start ?? until),
    run: start === null ? null : stretch(start, until),
    worker: attempt.worker_id ?? null,
    error: attempt.error ?? null,
  };
}

function stageRow(job: JobDetail, place: number, attempt: Attempt | undefined, now: number): StageRow {
  const stage = job.stages[place] as JobStage;
  const end = millis(stage.ended_at);
  // What has not ended with its attempt never will.
  const until =
    end ?? (stage.running ? now : (millis(attempt?.ended_at) ?? millis(job.last_event_at) ?? now));
  // Of a stage that was only heard of at its end, the duration tells when it began.
  const start =
    millis(stage.started_at) ?? (end === null ? null : end - (stage.duration_seconds ?? 0) * 1000);
  return {
    kind: "stage",
    id: `stage-${place}`,
    stage,
    tone: STATUSES[stage.status ?? ""] ?? (stage.running ? "note" : "idle"),
    state: (stage.status ?? (stage.running ? "runs" : "no end was told")).replaceAll("_", " "),
    run: start === null ? null : stretch(start, until),
    error: stage.error ?? null,
  };
}

function stretch(start: number, end: number): Stretch {
  return { start, end: Math.max(start, end) };
}

/** A time in milliseconds; null where there is none. */
export function millis(time: string | null | undefined): number | null {
  if (!time) return null;
  const at = Date.parse(time);
  return Number.isFinite(at) ? at : null;
}

/** The row with this id; nothing where the job has none. */
export function rowOf(rows: readonly Row[], id: string | undefined): Row | undefined {
  return id === undefined ? undefined : rows.find((row) => row.id === id);
}

/** What a row is called. */
export function nameOf(row: Row): string {
  return row.kind === "attempt" ? `Attempt ${row.number + 1}` : row.stage.stage;
}

/** All of the time of a row: of an attempt with what it waited. */
export function wholeOf(row: Row): Stretch | null {
  if (row.kind === "stage" || row.queued === null) return row.run;
  return { start: row.queued.start, end: Math.max(row.queued.end, row.run?.end ?? 0) };
}
