// What is asked of one job.

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ApiError, get } from "../../api/client";
import { literal, numberOf, sql, textOf } from "../../api/sql";
import type { List } from "../../api/types";
import type { Answer } from "../../metrics/answer";
import type { JobCall, JobDetail, JobLogPage, JobTrace } from "../types";
import { usualExpr, usualOf } from "./expected";
import { componentEventsOf } from "./memory";
import { millis, type Stretch } from "./rows";

/** How often a job that is not over is asked for again, in milliseconds; and one that is, which may be tried again. */
const EVERY = 2_000;
const SELDOM = 60_000;

const path = (id: string) => `/api/v1/jobs/${encodeURIComponent(id)}`;

function retry(failures: number, error: Error): boolean {
  return failures < 2 && error instanceof ApiError && error.status === 0;
}

export function isOver(job: JobDetail): boolean {
  return job.status === "completed" || job.status === "failed";
}

/** The job; null where there is none. */
export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ["job", id],
    queryFn: async ({ signal }): Promise<JobDetail | null> => {
      try {
        return await get<JobDetail>(path(id), signal);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    retry,
    refetchInterval: ({ state }) => (state.data && !isOver(state.data) ? EVERY : SELDOM),
  });

/** How much belongs to the job, and all of its traces. */
export const countsQuery = (id: string) =>
  queryOptions({
    queryKey: ["job", id, "counts"],
    queryFn: ({ signal }) => get<JobDetail>(`${path(id)}?counts=true`, signal),
    retry,
    staleTime: 10_000,
  });

/** How long the stages of a job usually take, by what is stored of the day before it. */
export function usualQuery(job: JobDetail) {
  const stages = [...new Set(job.stages.map(({ stage }) => stage))].sort();
  const time = isOver(job) ? Math.floor((millis(job.last_event_at) ?? 0) / 1000) : null;
  return queryOptions({
    queryKey: ["job", "usual", stages, time],
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({
        query: usualExpr(stages),
        ...(time ? { time: String(time) } : {}),
      });
      return usualOf(await get<Answer>(`/prometheus/api/v1/query?${query}`, signal));
    },
    enabled: stages.length > 0,
    staleTime: 60_000,
    retry,
    placeholderData: keepPreviousData,
  });
}

/** Components that were loaded and given back for the job. */
export const componentsQuery = (job: JobDetail) =>
  queryOptions({
    queryKey: ["job", job.job_id, "components", isOver(job)],
    queryFn: async () =>
      componentEventsOf(
        await sql(
          `SELECT time, action, component, stage, worker_id, memory_rss_bytes, memory_delta_bytes, gpu_memory_bytes
           FROM component_events
           WHERE job_id = ${literal(job.job_id)} AND time >= ${literal(job.records.from)} AND time <= ${until(job)}
           ORDER BY time LIMIT 1000`,
        ),
      ),
    retry,
    refetchInterval: isOver(job) ? false : 10_000,
  });

/** The end of the time in which what belongs to a job is looked for. */
function until(job: JobDetail): string {
  return isOver(job) ? literal(job.records.to) : "now()";
}

/** A job that this one submitted. */
export interface Child {
  readonly id: string;
  readonly kind: string | null;
}

const MOST_CHILDREN = 50;

export const childrenQuery = (job: JobDetail) =>
  queryOptions({
    queryKey: ["job", job.job_id, "children", isOver(job)],
    queryFn: async (): Promise<readonly Child[]> => {
      const rows = await sql(
        `SELECT job_id, max(kind) AS kind, min(time) AS first FROM job_events
         WHERE parent_id = ${literal(job.job_id)} AND time >= ${literal(job.records.from)}
         GROUP BY job_id ORDER BY first LIMIT ${MOST_CHILDREN}`,
      );
      return rows.map((row) => ({ id: textOf(row, "job_id") ?? "", kind: textOf(row, "kind") }));
    },
    retry,
    staleTime: 10_000,
  });

/** The time of a bar, to which what is shown below is narrowed; all of the job's where it is null. */
export type Scope = Stretch | null;

const LOG_PAGE = 200;

/** Log records of the job, oldest first. */
export const logsQuery = (job: JobDetail, scope: Scope, q: string) =>
  infiniteQueryOptions({
    queryKey: ["job", job.job_id, "logs", scope, q],
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams({ limit: String(LOG_PAGE), order: "oldest" });
      const terms = [
        ...(scope ? [`time:[${iso(scope.start)} TO ${iso(scope.end)}]`] : []),
        ...(q ? [`(${q})`] : []),
      ];
      if (terms.length > 0) query.set("q", terms.join(" "));
      if (pageParam) query.set("cursor", pageParam);
      return get<JobLogPage>(`${path(job.job_id)}/logs?${query}`, signal);
    },
    initialPageParam: "",
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    retry,
  });

export function iso(time: number): string {
  return new Date(time).toISOString();
}

/** The most calls of models that are read of a job. */
export const MOST_CALLS = 1_000;

export const callsQuery = (job: JobDetail) =>
  queryOptions({
    queryKey: ["job", job.job_id, "calls"],
    queryFn: ({ signal }) => get<List<JobCall>>(`${path(job.job_id)}/llm-calls?limit=${MOST_CALLS}`, signal),
    retry,
    refetchInterval: isOver(job) ? false : 5_000,
  });

/** A request that an application answered, with its place in the job's story. */
export interface JobRequest {
  readonly id: string;
  readonly time: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly seconds: number | null;
  readonly service: string | null;
  readonly error: string | null;
  /** Whether it is the one that caused the job. */
  readonly isCause: boolean;
}

const MOST_REQUESTS = 200;
/** How long before the job the request that caused it is looked for, as its API may answer late: an hour. */
const BEFORE = 3_600_000;

/** The request that caused the job, and those of its traces. */
export const requestsQuery = (job: JobDetail, traces: readonly string[]) =>
  queryOptions({
    queryKey: ["job", job.job_id, "requests", traces],
    queryFn: async (): Promise<readonly JobRequest[]> => {
      const matches = [
        ...(job.request_id ? [`request_id = ${literal(job.request_id)}`] : []),
        ...(traces.length > 0 ? [`trace_id IN (${traces.map(literal).join(", ")})`] : []),
      ];
      if (matches.length === 0) return [];
      const first = iso((millis(job.records.from) ?? 0) - BEFORE);
      const rows = await sql(
        `SELECT time, event_id, method, path, status_code, duration_seconds, service, error_message, request_id
         FROM requests WHERE (${matches.join(" OR ")}) AND time >= ${literal(first)} AND time <= ${until(job)}
         ORDER BY time LIMIT ${MOST_REQUESTS}`,
      );
      return rows.map((row) => ({
        id: textOf(row, "event_id") ?? "",
        time: textOf(row, "time") ?? "",
        method: textOf(row, "method") ?? "",
        path: textOf(row, "path") ?? "",
        status: numberOf(row, "status_code") ?? 0,
        seconds: numberOf(row, "duration_seconds"),
        service: textOf(row, "service"),
        error: textOf(row, "error_message"),
        isCause: job.request_id != null && textOf(row, "request_id") === job.request_id,
      }));
    },
    retry,
  });

/** The trace of the job; null where it has none. */
export const traceQuery = (id: string) =>
  queryOptions({
    queryKey: ["job", id, "trace"],
    queryFn: async ({ signal }): Promise<JobTrace | null> => {
      try {
        return await get<JobTrace>(`${path(id)}/trace`, signal);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    retry,
    staleTime: 10_000,
  });
