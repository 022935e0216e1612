// What is asked of the server, in Prometheus' API.

import { queryOptions } from "@tanstack/react-query";
import { ApiError, get } from "../api/client";
import type { Answer } from "./answer";
import { graphOf, windowOf } from "./graph";
import type { Range } from "./range";
import { rowsOf } from "./rows";

/** The most series of an answer. Where there are more, the server cuts them off and warns. */
const MAX_SERIES = 1_000;

/** How long until what ends now is asked for again. */
const AGAIN_AFTER = 15_000;

/** How both kinds of queries are asked. */
const ASKING = {
  // A query that failed fails again, and one that took too long would do so twice more.
  retry: (failures: number, error: Error) => failures < 2 && error instanceof ApiError && error.status === 0,
  // Answers are large.
  gcTime: 30_000,
  structuralSharing: false,
} as const;

/** An expression over time, as a graph. */
export function graphQuery(expr: string, range: Range, end: string | undefined) {
  return queryOptions({
    ...ASKING,
    queryKey: ["explore", "graph", expr, range, end ?? null],
    queryFn: async ({ signal }) => {
      const window = windowOf(range, end, Date.now());
      const { start, end: last, step } = window;
      return graphOf(await ask("query_range", { query: expr, start, end: last, step }, signal), window);
    },
    refetchInterval: ({ state }) => (end === undefined && state.status === "success" ? AGAIN_AFTER : false),
  });
}

/** An expression at one time, as a table. */
export function tableQuery(expr: string, end: string | undefined) {
  return queryOptions({
    ...ASKING,
    queryKey: ["explore", "table", expr, end ?? null],
    queryFn: async ({ signal }) => {
      const time = (end === undefined ? Date.now() : Date.parse(end)) / 1000;
      return rowsOf(await ask("query", { query: expr, time }, signal));
    },
    refetchInterval: ({ state }) => (end === undefined && state.status === "success" ? AGAIN_AFTER : false),
  });
}

function ask(endpoint: string, parameters: Record<string, string | number>, signal: AbortSignal) {
  const query = new URLSearchParams({ limit: String(MAX_SERIES) });
  for (const [name, value] of Object.entries(parameters)) query.set(name, String(value));
  return get<Answer>(`/prometheus/api/v1/${endpoint}?${query}`, signal);
}
