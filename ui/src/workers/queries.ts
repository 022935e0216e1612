// What is asked of workers.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ApiError, get } from "../api/client";
import { askSql, literal, numberOf, textOf } from "../api/sql";
import type { Exit, Job, List, Worker } from "../api/types";
import { isLive, type TimeRange, timeOf } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";
import type { Process } from "./processes";

/** How often what is now is asked for again, in milliseconds. */
const AGAIN = 5_000;

export const workersQuery = queryOptions({
  queryKey: ["workers"],
  queryFn: ({ signal }) => get<List<Worker>>("/api/v1/workers?limit=1000", signal),
  refetchInterval: AGAIN,
});

export function workerQuery(id: string) {
  return queryOptions({
    queryKey: ["workers", "one", id],
    queryFn: ({ signal }) => get<Worker>(`/api/v1/workers/${encodeURIComponent(id)}`, signal),
    refetchInterval: AGAIN,
    retry: (failures, error) => failures < 2 && !isUnknown(error),
  });
}

/** Whether the server knows no such worker. */
export function isUnknown(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** How many jobs of a worker are shown. */
export const JOBS_SHOWN = 20;

/** The jobs that a worker took last, those that it works on among them. */
export function jobsOfWorkerQuery(id: string) {
  return queryOptions({
    queryKey: ["jobs", "worker", id],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams({ worker: id, limit: `${JOBS_SHOWN}` });
      return get<List<Job>>(`/api/v1/jobs?${query}`, signal);
    },
    refetchInterval: AGAIN,
  });
}

/** Processes that ended badly in a range, newest first: of one host, or of all. */
export function exitsQuery(host: string | null, range: TimeRange) {
  return queryOptions({
    queryKey: ["exits", host, range],
    queryFn: async ({ signal }) => {
      const { start, end } = spanNow(range);
      const query = new URLSearchParams({ since: timeOf(start), limit: "1000" });
      if (host !== null) query.set("host", host);
      const list = await get<List<Exit>>(`/api/v1/exits?${query}`, signal);
      // The API knows no end of the time.
      return isLive(range) ? list.items : list.items.filter(({ time }) => Date.parse(time) / 1000 <= end);
    },
    placeholderData: keepPreviousData,
    refetchInterval: refreshOf(range),
  });
}

/** The most processes of a worker that are told of. */
const MAX_PROCESSES = 50;

/** The processes that a worker was in a range, newest first, as its heartbeats tell of them. */
export function processesQuery(id: string, range: TimeRange) {
  return queryOptions({
    queryKey: ["sql", "processes", id, range],
    queryFn: async (): Promise<readonly Process[]> => {
      const { start, end } = spanNow(range);
      const sql = `SELECT started_at, host, pid, version, min(time) AS first, max(time) AS last, count(*) AS events,
          max(CASE WHEN action = 'worker.stopped' THEN time END) AS stopped,
          max(reason) AS reason, max(exit_code) AS exit_code,
          max(memory_rss_bytes) AS memory_max, last_value(memory_rss_bytes ORDER BY time) AS memory_last,
          last_value(job_id ORDER BY time) AS job_id
        FROM worker_events
        WHERE worker_id = ${literal(id)} AND time >= ${literal(timeOf(start))} AND time <= ${literal(timeOf(end))}
        GROUP BY started_at, host, pid, version ORDER BY last DESC`;
      const { rows } = await askSql(sql, MAX_PROCESSES);
      return rows.map((row) => ({
        startedAt: textOf(row, "started_at"),
        host: textOf(row, "host"),
        pid: numberOf(row, "pid"),
        version: textOf(row, "version"),
        firstAt: textOf(row, "first"),
        lastAt: textOf(row, "last"),
        stoppedAt: textOf(row, "stopped"),
        reason: textOf(row, "reason"),
        exitCode: numberOf(row, "exit_code"),
        memoryMax: numberOf(row, "memory_max"),
        memoryLast: numberOf(row, "memory_last"),
        jobId: textOf(row, "job_id"),
      }));
    },
    // Those of another range may stay until there are others, those of another worker may not.
    placeholderData: (previous, query) => (query?.queryKey[2] === id ? previous : undefined),
    refetchInterval: refreshOf(range),
  });
}
