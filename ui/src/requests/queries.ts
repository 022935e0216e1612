// What is asked of requests.

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import { literal, sql } from "../api/sql";
import type { List, Request, RequestStats } from "../api/types";
import { isLive, type TimeRange, timeOf } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";
import type { Grouping, RequestFilters } from "./address";

/** How many requests a page of the list has, and the most that are listed. */
const PAGE = 200;
const MOST = 10_000;

function bounds(range: TimeRange): { readonly since: string; readonly until: string } {
  const { start, end } = spanNow(range);
  return { since: timeOf(start), until: timeOf(end) };
}

/** Requests of a range by what they have in common. */
export function requestGroupsQuery(by: Grouping, range: TimeRange) {
  return queryOptions({
    queryKey: ["requests", "groups", by, range],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams({ by, ...bounds(range), limit: "200" });
      return get<RequestStats>(`/api/v1/requests/stats?${query}`, signal);
    },
    placeholderData: keepPreviousData,
    refetchInterval: refreshOf(range),
  });
}

/** Requests that filters let through, page by page. */
export function requestsQuery(filters: RequestFilters, range: TimeRange) {
  return infiniteQueryOptions({
    queryKey: ["requests", "list", filters, range],
    // All pages are of the time of the first: else they would move on while one reads.
    initialPageParam: { offset: 0, ...bounds(range) },
    queryFn: ({ pageParam, signal }) => {
      const { offset, since, until } =
        pageParam.offset === 0 ? { ...pageParam, ...bounds(range) } : pageParam;
      const query = new URLSearchParams({ limit: String(PAGE), offset: String(offset), since, until });
      for (const [name, value] of Object.entries(filters)) query.set(name, value);
      return get<List<Request>>(`/api/v1/requests?${query}`, signal).then((list) => ({
        ...list,
        since,
        until,
      }));
    },
    getNextPageParam: ({ total, since, until }, pages) => {
      const offset = pages.reduce((sum, { items }) => sum + items.length, 0);
      return offset < total && offset + PAGE <= MOST ? { offset, since, until } : undefined;
    },
    placeholderData: keepPreviousData,
    // A list that somebody reads far down is left alone.
    refetchInterval: ({ state }) =>
      isLive(range) && (state.data?.pages.length ?? 0) <= 1 ? refreshOf(range) : false,
  });
}

/** How far from its time a request's job, logs and errors are looked for, in seconds. */
const AROUND = 3_600;

function around(time: string): string {
  const at = Date.parse(time) / 1000;
  return `time >= ${literal(timeOf(at - AROUND))} AND time <= ${literal(timeOf(at + AROUND))}`;
}

/** One request; null when there is none. */
export function requestQuery(id: string, at: string | undefined) {
  return queryOptions({
    queryKey: ["requests", "one", id, at],
    queryFn: async () => {
      const when = at === undefined ? "" : ` AND ${around(at)}`;
      const rows = await sql<Request>(
        `SELECT * FROM requests WHERE event_id = ${literal(id)}${when} LIMIT 1`,
      );
      return rows[0] ?? null;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** A job that a request caused. */
export interface CausedJob {
  readonly job_id: string;
  readonly kind: string | null;
  readonly queue: string | null;
  readonly last: string;
}

/** An error that was logged while a request was answered. */
export interface LoggedError {
  readonly time: string;
  readonly service: string | null;
  readonly message: string | null;
  readonly type: string | null;
  readonly stacktrace: string | null;
}

/** What belongs to a request: the condition in SQL; null when it has neither id nor trace. */
export function belongsTo({ request_id, trace_id, time }: Pick<Request, "request_id" | "trace_id" | "time">) {
  const ids = [
    ...(request_id ? [`request_id = ${literal(request_id)}`] : []),
    ...(trace_id ? [`trace_id = ${literal(trace_id)}`] : []),
  ];
  return ids.length === 0 ? null : `(${ids.join(" OR ")}) AND ${around(time)}`;
}

export function causedJobsQuery(request: Request) {
  const belongs = belongsTo(request);
  return queryOptions({
    queryKey: ["requests", "jobs", request.event_id],
    queryFn: () =>
      sql<CausedJob>(
        `SELECT job_id, max(kind) AS kind, max(queue) AS queue, last_value(action ORDER BY time) AS last ` +
          `FROM job_events WHERE ${belongs} GROUP BY job_id ORDER BY min(time) LIMIT 50`,
      ),
    enabled: belongs !== null,
  });
}

export function loggedErrorsQuery(request: Request) {
  const belongs = belongsTo(request);
  return queryOptions({
    queryKey: ["requests", "errors", request.event_id],
    queryFn: () =>
      sql<LoggedError>(
        `SELECT time, service, message, coalesce(exception_type, error_type) AS type, exception_stacktrace AS stacktrace ` +
          `FROM logs WHERE ${belongs} AND (level IN ('error', 'fatal') OR exception_type IS NOT NULL) ` +
          `ORDER BY time LIMIT 20`,
      ),
    enabled: belongs !== null,
  });
}
