// What a document's jobs add up to.

import { type Attempt, beginOf, type DocumentJob, spentOf } from "./model";

export interface Summary {
  /** When it was first and last heard of, in milliseconds since the epoch; null when no time is known. */
  readonly first: number | null;
  readonly last: number | null;
  /** Whether something of it still waits or runs. */
  readonly isOpen: boolean;
  readonly attempts: number;
  /** Attempts that ended badly. */
  readonly failures: number;
  /** Jobs that ended badly for good. */
  readonly failed: number;
  /** Over all attempts, in milliseconds. */
  readonly waited: number;
  readonly ran: number;
  readonly memoryPeak: number | null;
  readonly pages: number | null;
}

export function summaryOf(jobs: readonly DocumentJob[], now: number): Summary {
  const attempts = jobs.flatMap((job) => job.attempts);
  const times = attempts.flatMap(({ queuedAt, startedAt, endedAt }) =>
    [queuedAt, startedAt, endedAt].filter((time) => time !== null),
  );
  const spent = attempts.map((attempt) => spentOf(attempt, now));
  return {
    first: least(jobs.map(beginOf)),
    last: most(times),
    isOpen: jobs.some(isOpen),
    attempts: attempts.length,
    failures: attempts.filter(isBad).length,
    failed: jobs.filter(({ status }) => status === "failed").length,
    waited: spent.reduce((sum, { waited }) => sum + waited, 0),
    ran: spent.reduce((sum, { ran }) => sum + ran, 0),
    memoryPeak: most(jobs.map((job) => job.memoryPeak)),
    pages: most(jobs.map((job) => job.pages)),
  };
}

/** What a queue had of a document. */
export interface Dwell {
  readonly queue: string | null;
  readonly jobs: number;
  readonly attempts: number;
  readonly failures: number;
  /** In milliseconds. */
  readonly waited: number;
  readonly ran: number;
}

/** The same by queue, in the order in which the document came to them. */
export function dwellOf(jobs: readonly DocumentJob[], now: number): readonly Dwell[] {
  const queues = new Map<string | null, Dwell>();
  for (const { queue, attempts } of jobs) {
    const known = queues.get(queue) ?? { queue, jobs: 0, attempts: 0, failures: 0, waited: 0, ran: 0 };
    const spent = attempts.map((attempt) => spentOf(attempt, now));
    queues.set(queue, {
      queue,
      jobs: known.jobs + 1,
      attempts: known.attempts + attempts.length,
      failures: known.failures + attempts.filter(isBad).length,
      waited: spent.reduce((sum, { waited }) => sum + waited, known.waited),
      ran: spent.reduce((sum, { ran }) => sum + ran, known.ran),
    });
  }
  return [...queues.values()];
}

export function isBad({ outcome }: Pick<Attempt, "outcome">): boolean {
  return outcome === "failed" || outcome === "retried";
}

function isOpen({ status }: DocumentJob): boolean {
  return status === "pending" || status === "running";
}

function most(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((a, b) => Math.max(a, b));
}

function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((a, b) => Math.min(a, b));
}
