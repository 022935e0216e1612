// What is asked of calls of models, and of the backends that answer them.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import { literal, sql } from "../api/sql";
import type { List, LlmCall, Probe, Queue } from "../api/types";
import { type TimeRange, timeOf } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";

/** What a model did in a time. What nothing was said of is null. */
export interface ModelUse {
  readonly model: string;
  readonly provider: string | null;
  readonly calls: number;
  readonly errors: number;
  readonly cut: number;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cached_tokens: number | null;
  readonly cost_usd: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly ttft_p50: number | null;
  readonly ttft_p95: number | null;
  /** Output tokens for each second in which they came: after the first token. */
  readonly tokens_per_second: number | null;
}

const MODEL_USE = `SELECT model, max(provider) AS provider, count(*) AS calls,
  sum(CASE WHEN error_message IS NOT NULL THEN 1 ELSE 0 END) AS errors,
  sum(CASE WHEN finish_reason = 'length' THEN 1 ELSE 0 END) AS cut,
  sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sum(cached_tokens) AS cached_tokens,
  sum(cost_usd) AS cost_usd,
  approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) AS p50,
  approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_seconds) AS p95,
  approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY time_to_first_token_seconds) AS ttft_p50,
  approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY time_to_first_token_seconds) AS ttft_p95,
  sum(output_tokens) / nullif(sum(CASE WHEN output_tokens > 0
    THEN duration_seconds - coalesce(time_to_first_token_seconds, 0) END), 0) AS tokens_per_second
FROM llm_calls`;

function within(range: TimeRange): string {
  const { start, end } = spanNow(range);
  return `time >= ${literal(timeOf(start))} AND time <= ${literal(timeOf(end))}`;
}

/** Each model that was called in a range, the busiest first. */
export function modelUseQuery(range: TimeRange) {
  return queryOptions({
    queryKey: ["llm", "models", range],
    queryFn: () =>
      sql<ModelUse>(`${MODEL_USE} WHERE ${within(range)} GROUP BY model ORDER BY calls DESC LIMIT 100`),
    placeholderData: keepPreviousData,
    refetchInterval: refreshOf(range),
  });
}

/** How many of the newest calls are listed. */
export const CALLS = 500;

/** The newest calls of a range. */
export function callsQuery(range: TimeRange, model: string | undefined, failed: boolean) {
  return queryOptions({
    queryKey: ["llm", "calls", range, model, failed],
    queryFn: () => {
      const chosen = model === undefined ? "" : ` AND model = ${literal(model)}`;
      const wrong = failed ? " AND error_message IS NOT NULL" : "";
      return sql<LlmCall>(
        `SELECT * FROM llm_calls WHERE ${within(range)}${chosen}${wrong} ORDER BY time DESC LIMIT ${CALLS}`,
        CALLS,
      );
    },
    placeholderData: keepPreviousData,
    refetchInterval: refreshOf(range),
  });
}

/** Backends of models: probes of their kinds. */
export const backendsQuery = queryOptions({
  queryKey: ["llm", "backends"],
  queryFn: ({ signal }) => get<List<Probe>>("/api/v1/probes?limit=1000", signal),
  select: ({ items }) => items.filter(({ kind }) => kind === "ollama" || kind === "openai"),
  refetchInterval: 15_000,
});

/** How far back it is looked which queues models work for, in seconds. */
const QUEUES_WITHIN = 900;

/** The queues whose jobs call models, as they are now. */
export const llmQueuesQuery = queryOptions({
  queryKey: ["llm", "queues"],
  queryFn: async ({ signal }) => {
    const since = `time >= ${literal(timeOf(Math.floor(Date.now() / 1000) - QUEUES_WITHIN))}`;
    const [names, queues] = await Promise.all([
      sql<{ readonly queue: string }>(
        `SELECT queue, count(DISTINCT job_id) AS jobs FROM job_events WHERE queue IS NOT NULL AND ${since} ` +
          `AND job_id IN (SELECT job_id FROM llm_calls WHERE job_id IS NOT NULL AND ${since}) ` +
          "GROUP BY queue ORDER BY jobs DESC LIMIT 6",
      ),
      get<List<Queue>>("/api/v1/queues?limit=1000", signal),
    ]);
    return queuesOf(
      names.map(({ queue }) => queue),
      queues.items,
    );
  },
  refetchInterval: 15_000,
});

/** The queues with these names; where there is none, those whose names tell that models work for them. */
export function queuesOf(names: readonly string[], queues: readonly Queue[]): readonly Queue[] {
  const found = queues.filter(({ queue }) => names.includes(queue));
  return found.length > 0
    ? found
    : queues.filter(({ queue }) => /(^|[^a-z])(llm|model|inference)/i.test(queue));
}
