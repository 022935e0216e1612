// What is asked of documents: of jobs in memory, and of what is stored.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import { askSql, literal, numberOf, type SqlRow, type SqlRows, textOf } from "../api/sql";
import type { Job, List } from "../api/types";
import { type TimeRange, timeOf } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";
import { merged, ofEvents, ofJob } from "./model";

/** How often what is now is asked for again, in milliseconds. */
const AGAIN = 5_000;

/** A document in a list. */
export interface DocumentRow {
  readonly id: string;
  readonly name: string | null;
  readonly jobs: number;
  readonly open: number;
  readonly failed: number;
  readonly attempts: number;
  readonly failures: number;
  readonly pages: number | null;
  readonly memoryPeak: number | null;
  readonly first: string | null;
  readonly last: string | null;
}

/** The most documents of a list. */
export const MAX_DOCUMENTS = 500;

/** Where applications put the name of a document, which no event has a field for. */
const NAMES = ["document_name", "file_name", "filename", "title", "name"];
const NAME = `coalesce(${NAMES.map((name) => `attributes['${name}']`).join(", ")})`;

/**
 * Documents of a range that have a text in their ids or names, those heard of last first. A whole id is found in all
 * that is kept.
 */
export function documentsQuery(q: string, range: TimeRange) {
  return queryOptions({
    queryKey: ["sql", "documents", q, range],
    queryFn: async () => {
      const { start, end } = spanNow(range);
      const time = `time >= ${literal(timeOf(start))} AND time <= ${literal(timeOf(end))}`;
      if (q === "") return listOf(await askSql(statement("document_id IS NOT NULL", time), MAX_DOCUMENTS));
      const text = literal(q.toLowerCase());
      const part = `(contains(lower(document_id), ${text}) OR contains(lower(${NAME}), ${text}))`;
      const [whole, some] = await Promise.all([wholeOf(q), askSql(statement(part, time), MAX_DOCUMENTS)]);
      const others = some.rows.filter((row) => row.document_id !== q);
      return listOf({ rows: [...whole, ...others], truncated: some.truncated });
    },
    placeholderData: keepPreviousData,
    refetchInterval: q === "" ? refreshOf(range) : false,
  });
}

/** What is told of a document, from all events of its jobs. */
const SUMS = `max(${NAME}) AS name, count(DISTINCT job_id) AS jobs,
    count(DISTINCT CASE WHEN action IN ('job.completed', 'job.failed') THEN job_id END) AS ended,
    count(*) FILTER (WHERE action = 'job.failed') AS failed,
    count(*) FILTER (WHERE action = 'job.started') AS attempts,
    count(*) FILTER (WHERE action IN ('job.failed', 'job.retried')) AS failures,
    max(pages) AS pages, max(memory_peak_bytes) AS memory,
    min(coalesce(submitted_at, time)) AS first, max(time) AS last`;

/** Which documents, which jobs are theirs, and all events of these: only one event of a job has to name the document. */
function statement(which: string, time: string): string {
  return `WITH newest AS (
      SELECT document_id, max(time) AS seen FROM job_events WHERE ${which} AND ${time} AND document_id IS NOT NULL
      GROUP BY document_id ORDER BY seen DESC LIMIT ${MAX_DOCUMENTS + 1}),
    theirs AS (
      SELECT DISTINCT job_id AS their_job, document_id AS their_document FROM job_events
      WHERE ${time} AND document_id IN (SELECT document_id FROM newest))
    SELECT their_document AS document_id, ${SUMS}
    FROM job_events JOIN theirs ON job_id = their_job WHERE ${time}
    GROUP BY their_document ORDER BY last DESC`;
}

/** The document that has just this id, in all that is kept. Both statements ask for ids, which is quick. */
async function wholeOf(id: string): Promise<readonly SqlRow[]> {
  const which = `SELECT DISTINCT job_id FROM job_events WHERE document_id = ${literal(id)}`;
  const { rows } = await askSql(which, MAX_JOBS);
  const jobs = nameable(rows.flatMap((row) => textOf(row, "job_id") ?? []));
  if (jobs.length === 0) return [];
  const sums = `SELECT ${literal(id)} AS document_id, ${SUMS} FROM job_events WHERE job_id IN (${listed(jobs)})`;
  return (await askSql(sums, 1)).rows;
}

function listOf({ rows, truncated }: { readonly rows: readonly SqlRow[]; readonly truncated: boolean }) {
  return { documents: rows.map(documentOf), truncated };
}

function documentOf(row: SqlRow): DocumentRow {
  const jobs = numberOf(row, "jobs") ?? 0;
  return {
    id: String(row.document_id),
    name: textOf(row, "name"),
    jobs,
    open: jobs - (numberOf(row, "ended") ?? 0),
    failed: numberOf(row, "failed") ?? 0,
    attempts: numberOf(row, "attempts") ?? 0,
    failures: numberOf(row, "failures") ?? 0,
    pages: numberOf(row, "pages"),
    memoryPeak: numberOf(row, "memory"),
    first: textOf(row, "first"),
    last: textOf(row, "last"),
  };
}

/** The most events that are read of jobs that are not in memory. */
const MAX_EVENTS = 5_000;
/** The most jobs that are named in a statement, and the most characters that this may take: the server takes 16 KiB. */
const MAX_JOBS = 200;
const MAX_NAMED = 12_000;

/** The first of some ids, as many as a statement can name. */
function nameable(ids: readonly string[]): readonly string[] {
  let characters = 0;
  return ids.slice(0, MAX_JOBS).filter((id) => {
    characters += literal(id).length + 2;
    return characters <= MAX_NAMED;
  });
}

function listed(ids: readonly string[]): string {
  return ids.map(literal).join(", ");
}

/** All jobs of a document: those in memory, and what is stored of the others. */
export function documentJobsQuery(id: string) {
  return queryOptions({
    queryKey: ["documents", id, "jobs"],
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ document: id, limit: "1000" });
      const [memory, all] = await Promise.all([
        get<List<Job>>(`/api/v1/jobs?${query}`, signal),
        askSql(
          `SELECT job_id, max(${NAME}) AS name FROM job_events WHERE document_id = ${literal(id)}
            GROUP BY job_id ORDER BY min(time) DESC`,
          1_000,
        ),
      ]);
      const known = new Set(memory.items.map((job) => job.job_id));
      const others = all.rows.flatMap((row) => textOf(row, "job_id") ?? []).filter((job) => !known.has(job));
      const read = nameable(others);
      const events = await eventsOf(read);
      return {
        jobs: merged(memory.items.map(ofJob), ofEvents(events.rows)),
        name: all.rows.map((row) => textOf(row, "name")).find((name) => name !== null) ?? null,
        isWhole: !all.truncated && !events.truncated && read.length === others.length,
      };
    },
    refetchInterval: AGAIN,
  });
}

/** Everything that was said of some jobs, oldest first. Not every event names the document. */
async function eventsOf(jobs: readonly string[]): Promise<SqlRows> {
  if (jobs.length === 0) return { rows: [], truncated: false };
  return askSql(
    `SELECT time, action, job_id, kind, queue, worker_id, submitted_at, started_at,
        error_type, error_message, memory_peak_bytes, pages
      FROM job_events WHERE job_id IN (${listed(jobs)}) ORDER BY time`,
    MAX_EVENTS,
  );
}

/** What belongs to a document, or to one of its jobs: not every event names the document. */
function belongs(id: string, jobs: readonly string[]): string {
  const ids = listed(nameable(jobs));
  return `(document_id = ${literal(id)}${ids === "" ? "" : ` OR job_id IN (${ids})`})`;
}

/** What was done in one stage. */
export interface StageRow {
  readonly stage: string;
  readonly component: string | null;
  readonly runs: number;
  readonly failed: number;
  readonly seconds: number | null;
  readonly memoryPeak: number | null;
  readonly memoryDelta: number | null;
  readonly items: number | null;
}

export function documentStagesQuery(id: string, jobs: readonly string[]) {
  return queryOptions({
    queryKey: ["documents", id, "stages"],
    queryFn: async (): Promise<readonly StageRow[]> => {
      const { rows } = await askSql(
        `SELECT stage, component, count(*) AS runs, count(*) FILTER (WHERE status = 'failed') AS failed,
            sum(duration_seconds) AS seconds, max(memory_peak_bytes) AS peak,
            sum(CAST(memory_delta_bytes AS DOUBLE)) AS delta, sum(items) AS items
          FROM stage_events WHERE action = 'stage.finished' AND ${belongs(id, jobs)}
          GROUP BY stage, component ORDER BY min(time)`,
        200,
      );
      return rows.map((row) => ({
        stage: String(row.stage),
        component: textOf(row, "component"),
        runs: numberOf(row, "runs") ?? 0,
        failed: numberOf(row, "failed") ?? 0,
        seconds: numberOf(row, "seconds"),
        memoryPeak: numberOf(row, "peak"),
        memoryDelta: numberOf(row, "delta"),
        items: numberOf(row, "items"),
      }));
    },
    refetchInterval: 2 * AGAIN,
  });
}

/** Calls of one model for one thing. */
export interface CallRow {
  readonly model: string;
  readonly operation: string | null;
  readonly calls: number;
  readonly failed: number;
  readonly input: number | null;
  readonly output: number | null;
  readonly cost: number | null;
  readonly seconds: number | null;
}

export function documentCallsQuery(id: string, jobs: readonly string[]) {
  return queryOptions({
    queryKey: ["documents", id, "calls"],
    queryFn: async (): Promise<readonly CallRow[]> => {
      const { rows } = await askSql(
        `SELECT model, operation, count(*) AS calls, count(error_message) AS failed, sum(input_tokens) AS input,
            sum(output_tokens) AS output, sum(cost_usd) AS cost, sum(duration_seconds) AS seconds
          FROM llm_calls WHERE ${belongs(id, jobs)}
          GROUP BY model, operation ORDER BY calls DESC`,
        200,
      );
      return rows.map((row) => ({
        model: String(row.model),
        operation: textOf(row, "operation"),
        calls: numberOf(row, "calls") ?? 0,
        failed: numberOf(row, "failed") ?? 0,
        input: numberOf(row, "input"),
        output: numberOf(row, "output"),
        cost: numberOf(row, "cost"),
        seconds: numberOf(row, "seconds"),
      }));
    },
    refetchInterval: 2 * AGAIN,
  });
}
