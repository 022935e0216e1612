// What is asked of documents: of jobs in memory, and of what is stored.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import type { Job, List } from "../api/types";
import { askSql, numberAt, quoted, type SqlRow, textAt } from "../sql/ask";
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

/** Documents of a range that have a text in their ids or names, those heard of last first. A whole id is found in all that is kept. */
export function documentsQuery(q: string, range: TimeRange) {
  return queryOptions({
    queryKey: ["sql", "documents", q, range],
    queryFn: async () => {
      const { start, end } = spanNow(range);
      const time = `time >= ${quoted(timeOf(start))} AND time <= ${quoted(timeOf(end))}`;
      if (q === "") return listOf(await askSql(statement(time), MAX_DOCUMENTS));
      const text = quoted(q.toLowerCase());
      const part = `${time} AND (contains(lower(document_id), ${text}) OR contains(lower(${NAME}), ${text}))`;
      const [whole, some] = await Promise.all([
        askSql(statement(`document_id = ${quoted(q)}`), 1),
        askSql(statement(part), MAX_DOCUMENTS),
      ]);
      const others = some.rows.filter((row) => row.document_id !== q);
      return listOf({ rows: [...whole.rows, ...others], truncated: some.truncated });
    },
    placeholderData: keepPreviousData,
    refetchInterval: q === "" ? refreshOf(range) : false,
  });
}

function statement(condition: string): string {
  return `SELECT document_id, max(${NAME}) AS name, count(DISTINCT job_id) AS jobs,
      count(DISTINCT CASE WHEN action IN ('job.completed', 'job.failed') THEN job_id END) AS ended,
      count(*) FILTER (WHERE action = 'job.failed') AS failed,
      count(*) FILTER (WHERE action = 'job.started') AS attempts,
      count(*) FILTER (WHERE action IN ('job.failed', 'job.retried')) AS failures,
      max(pages) AS pages, max(memory_peak_bytes) AS memory,
      min(coalesce(submitted_at, time)) AS first, max(time) AS last
    FROM job_events WHERE document_id IS NOT NULL AND ${condition}
    GROUP BY document_id ORDER BY last DESC`;
}

function listOf({ rows, truncated }: { readonly rows: readonly SqlRow[]; readonly truncated: boolean }) {
  return { documents: rows.map(documentOf), truncated };
}

function documentOf(row: SqlRow): DocumentRow {
  const jobs = numberAt(row, "jobs") ?? 0;
  return {
    id: String(row.document_id),
    name: textAt(row, "name"),
    jobs,
    open: jobs - (numberAt(row, "ended") ?? 0),
    failed: numberAt(row, "failed") ?? 0,
    attempts: numberAt(row, "attempts") ?? 0,
    failures: numberAt(row, "failures") ?? 0,
    pages: numberAt(row, "pages"),
    memoryPeak: numberAt(row, "memory"),
    first: textAt(row, "first"),
    last: textAt(row, "last"),
  };
}

/** The most events of a document that are read, and the most of its jobs whose stages and calls are looked for. */
const MAX_EVENTS = 5_000;
const MAX_JOBS = 200;

/** All jobs of a document: those in memory, and what is stored of the others. */
export function documentJobsQuery(id: string) {
  return queryOptions({
    queryKey: ["documents", id, "jobs"],
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({ document: id, limit: "1000" });
      const [memory, events] = await Promise.all([
        get<List<Job>>(`/api/v1/jobs?${query}`, signal),
        askSql(
          `SELECT time, action, job_id, kind, queue, parent_id, worker_id, submitted_at, started_at, retry_count,
              error_type, error_message, memory_peak_bytes, pages, ${NAME} AS name
            FROM job_events WHERE document_id = ${quoted(id)} ORDER BY time`,
          MAX_EVENTS,
        ),
      ]);
      return {
        jobs: merged(memory.items.map(ofJob), ofEvents(events.rows)),
        name: events.rows.map((row) => textAt(row, "name")).find((name) => name !== null) ?? null,
        isWhole: !events.truncated && memory.total <= memory.items.length,
      };
    },
    placeholderData: keepPreviousData,
    refetchInterval: AGAIN,
  });
}

/** What belongs to a document, or to one of its jobs: not every event names the document. */
function belongs(id: string, jobs: readonly string[]): string {
  const ids = jobs.slice(0, MAX_JOBS).map(quoted).join(", ");
  return `(document_id = ${quoted(id)}${ids === "" ? "" : ` OR job_id IN (${ids})`})`;
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
    queryKey: ["documents", id, "stages", jobs.length],
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
        component: textAt(row, "component"),
        runs: numberAt(row, "runs") ?? 0,
        failed: numberAt(row, "failed") ?? 0,
        seconds: numberAt(row, "seconds"),
        memoryPeak: numberAt(row, "peak"),
        memoryDelta: numberAt(row, "delta"),
        items: numberAt(row, "items"),
      }));
    },
    placeholderData: keepPreviousData,
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
    queryKey: ["documents", id, "calls", jobs.length],
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
        operation: textAt(row, "operation"),
        calls: numberAt(row, "calls") ?? 0,
        failed: numberAt(row, "failed") ?? 0,
        input: numberAt(row, "input"),
        output: numberAt(row, "output"),
        cost: numberAt(row, "cost"),
        seconds: numberAt(row, "seconds"),
      }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: 2 * AGAIN,
  });
}
