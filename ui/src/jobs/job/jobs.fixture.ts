// Jobs as tests need them.

import type { Attempt, JobDetail, JobStage } from "../types";

/** So many seconds after a time that all tests begin at. */
export function at(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 31, 12) + seconds * 1000).toISOString();
}

export function attempt(
  number: number,
  queued: number | null,
  started: number | null,
  ended: number | null,
): Attempt {
  return {
    number,
    queued_at: queued === null ? null : at(queued),
    started_at: started === null ? null : at(started),
    ended_at: ended === null ? null : at(ended),
    outcome: ended === null ? null : "completed",
    worker_id: "w-1",
    error: null,
  };
}

export function stage(
  name: string,
  attempt: number | null,
  started: number | null,
  ended: number | null,
): JobStage {
  return {
    stage: name,
    attempt,
    started_at: started === null ? null : at(started),
    ended_at: ended === null ? null : at(ended),
    duration_seconds: started === null || ended === null ? null : ended - started,
    running: ended === null,
    status: ended === null ? null : "completed",
  };
}

export function job(change: Partial<JobDetail> = {}): JobDetail {
  return {
    job_id: "j-1",
    status: "completed",
    judgement: { verdict: "fine", reason: "" },
    first_event_at: at(0),
    last_event_at: at(60),
    retry_count: 0,
    attempts: [],
    stages: [],
    attributes: {},
    trace_ids: [],
    records: { q: 'job_id:"j-1"', from: at(-60), to: at(120) },
    ...change,
  };
}
