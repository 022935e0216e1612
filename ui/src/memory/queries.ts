// What is asked of memory.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import type { components } from "../api/schema";
import { literal, numberOf, type SqlRow, sql, textOf } from "../api/sql";
import type { List } from "../api/types";
import { isLive, type TimeRange, timeOf } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";
import type { MemorySearch } from "./address";

export type MemoryHost = components["schemas"]["Host"];

/** Sums over all events of a range are asked for less often than what is cheap, in milliseconds. */
const SUMS_EVERY = 60_000;

function summed(range: TimeRange) {
  return {
    placeholderData: keepPreviousData,
    refetchInterval: isLive(range) ? Math.max(SUMS_EVERY, refreshOf(range) || 0) : (false as const),
    retry: false,
    staleTime: 10_000,
  };
}

/** A range as a condition on rows. */
function within(range: TimeRange): string {
  const { start, end } = spanNow(range);
  return `time >= ${literal(timeOf(Math.floor(start)))} AND time <= ${literal(timeOf(Math.ceil(end)))}`;
}

/** What the runs of a stage did to memory. */
export interface StageSum {
  readonly stage: string;
  readonly component: string | null;
  readonly runs: number;
  readonly peak: number | null;
  readonly usualPeak: number | null;
  readonly growth: number | null;
  readonly grown: number | null;
  readonly gpu: number | null;
}

export function stageSumsQuery(range: TimeRange) {
  return queryOptions({
    ...summed(range),
    queryKey: ["memory", "stages", range],
    queryFn: async (): Promise<readonly StageSum[]> => {
      const rows = await sql(
        `SELECT stage, component, count(*) AS runs, max(memory_peak_bytes) AS peak,
           approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY memory_peak_bytes) AS usual_peak,
           avg(memory_delta_bytes) AS growth, sum(memory_delta_bytes) AS grown, max(gpu_memory_bytes) AS gpu
         FROM stage_events WHERE action = 'stage.finished' AND ${within(range)}
         GROUP BY stage, component ORDER BY peak DESC NULLS LAST, runs DESC LIMIT 200`,
      );
      return rows.map((row) => ({
        stage: textOf(row, "stage") ?? "",
        component: textOf(row, "component"),
        runs: numberOf(row, "runs") ?? 0,
        peak: numberOf(row, "peak"),
        usualPeak: numberOf(row, "usual_peak"),
        growth: numberOf(row, "growth"),
        grown: numberOf(row, "grown"),
        gpu: numberOf(row, "gpu"),
      }));
    },
  });
}

/** What a component took when it was loaded, and did not give back when it was unloaded. */
export interface ComponentLoads {
  readonly component: string;
  readonly loads: number;
  /** Loads that an unload of the same worker followed, both with what memory did. */
  readonly pairs: number;
  readonly took: number | null;
  readonly returned: number | null;
  readonly kept: number | null;
  readonly worstKept: number | null;
  readonly gpu: number | null;
}

export function componentLoadsQuery(range: TimeRange) {
  return queryOptions({
    ...summed(range),
    queryKey: ["memory", "components", range],
    queryFn: async (): Promise<readonly ComponentLoads[]> => {
      const rows = await sql(
        `WITH told AS (
           SELECT component, action, memory_delta_bytes AS delta, gpu_memory_bytes AS gpu,
             lead(action) OVER w AS next_action, lead(memory_delta_bytes) OVER w AS next_delta
           FROM component_events WHERE ${within(range)}
           WINDOW w AS (PARTITION BY worker_id, component ORDER BY time)
         ), loads AS (
           SELECT component, delta, gpu,
             CASE WHEN next_action = 'component.unloaded' THEN next_delta END AS back
           FROM told WHERE action = 'component.loaded'
         )
         SELECT component, count(*) AS loads, count(delta + back) AS pairs, avg(delta) AS took, avg(-back) AS returned,
           sum(delta + back) AS kept, max(delta + back) AS worst, max(gpu) AS gpu
         FROM loads GROUP BY component ORDER BY kept DESC NULLS LAST, loads DESC LIMIT 200`,
      );
      return rows.map((row) => ({
        component: textOf(row, "component") ?? "",
        loads: numberOf(row, "loads") ?? 0,
        pairs: numberOf(row, "pairs") ?? 0,
        took: numberOf(row, "took"),
        returned: numberOf(row, "returned"),
        kept: numberOf(row, "kept"),
        worstKept: numberOf(row, "worst"),
        gpu: numberOf(row, "gpu"),
      }));
    },
  });
}

/** A job in which a stage held or grew most, or in which a component took most. */
export interface HeavyJob {
  readonly id: string;
  readonly time: string;
  readonly stage: string | null;
  readonly worker: string | null;
  readonly peak: number | null;
  readonly change: number | null;
}

export const MOST_HEAVY = 20;

export function heavyJobsQuery({ stage, component }: MemorySearch, range: TimeRange) {
  return queryOptions({
    ...summed(range),
    queryKey: ["memory", "jobs", stage ?? null, component ?? null, range],
    queryFn: async (): Promise<readonly HeavyJob[]> =>
      (await sql(heavyStatement(stage, component, range))).map(heavyOf),
    enabled: stage !== undefined || component !== undefined,
  });
}

function heavyStatement(stage: string | undefined, component: string | undefined, range: TimeRange): string {
  if (stage !== undefined) {
    return `SELECT job_id, time, stage, worker_id, memory_peak_bytes AS peak, memory_delta_bytes AS change
      FROM stage_events WHERE action = 'stage.finished' AND stage = ${literal(stage)} AND ${within(range)}
      ORDER BY peak DESC NULLS LAST LIMIT ${MOST_HEAVY}`;
  }
  return `SELECT job_id, time, stage, worker_id, memory_rss_bytes AS peak, memory_delta_bytes AS change
    FROM component_events WHERE component = ${literal(component ?? "")} AND job_id IS NOT NULL
      AND action = 'component.loaded' AND ${within(range)}
    ORDER BY change DESC NULLS LAST LIMIT ${MOST_HEAVY}`;
}

function heavyOf(row: SqlRow): HeavyJob {
  return {
    id: textOf(row, "job_id") ?? "",
    time: textOf(row, "time") ?? "",
    stage: textOf(row, "stage"),
    worker: textOf(row, "worker_id"),
    peak: numberOf(row, "peak"),
    change: numberOf(row, "change"),
  };
}

/** Hosts with their largest processes. */
export const hostsQuery = queryOptions({
  queryKey: ["memory", "hosts"],
  queryFn: ({ signal }) => get<List<MemoryHost>>("/api/v1/hosts?limit=20", signal),
  refetchInterval: 15_000,
});
