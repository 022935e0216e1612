// What is asked of the server, in Prometheus' API.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ApiError, get } from "../api/client";
import { isLive, type TimeRange } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";
import type { Answer } from "./answer";
import { graphOf, windowOf } from "./graph";

/** The most series of an answer. Where there are more, the server cuts them off and warns. */
const MAX_SERIES = 1_000;

/** How both kinds of queries are asked. */
const ASKING = {
  // A query that failed fails again, and one that took too long would do so twice more.
  retry: (failures: number, error: Error) => failures < 2 && error instanceof ApiError && error.status === 0,
  // Answers are large.
  gcTime: 30_000,
  structuralSharing: false,
} as const;

/** An expression over a range, as a graph. */
export function graphQuery(expr: string, range: TimeRange) {
  return queryOptions({
    ...ASKING,
    queryKey: ["metrics", "graph", expr, range],
    queryFn: async ({ signal }) => {
      const window = windowOf(range, Date.now());
      const { start, end, step } = window;
      return graphOf(await ask("query_range", { query: expr, start, end, step }, signal), window);
    },
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.status === "success" ? refreshOf(range) : false),
  });
}

/** An expression at the end of a range. */
export function instantQuery(expr: string, range: TimeRange) {
  return queryOptions({
    ...ASKING,
    queryKey: ["metrics", "instant", expr, isLive(range) ? null : range.to],
    queryFn: ({ signal }) => ask("query", { query: expr, time: spanNow(range).end }, signal),
    refetchInterval: ({ state }) => (state.status === "success" ? refreshOf(range) : false),
  });
}

function ask(endpoint: string, parameters: Record<string, string | number>, signal: AbortSignal) {
  const query = new URLSearchParams({ limit: String(MAX_SERIES) });
  for (const [name, value] of Object.entries(parameters)) query.set(name, String(value));
  return get<Answer>(`/prometheus/api/v1/${endpoint}?${query}`, signal);
}
