// What the traces ask for.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ApiError, get } from "../api/client";
import type { ServiceMap, Trace, TraceList } from "../api/types";
import { type TimeRange, timeOf } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";

/** The most traces that the server lists. */
export const LISTED = 200;

export function tracesQuery(q: string, range: TimeRange) {
  return queryOptions({
    queryKey: ["traces", "list", q, range],
    queryFn: ({ signal }) => {
      const { start, end } = spanNow(range);
      const query = new URLSearchParams({ q, from: timeOf(start), to: timeOf(end), limit: `${LISTED}` });
      return get<TraceList>(`/api/v1/traces?${query}`, signal);
    },
    placeholderData: keepPreviousData,
    retry: false,
    refetchInterval: refreshOf(range),
  });
}

/** One trace. Its spans come one after the other, so a trace of now is asked for again. */
export function traceQuery(id: string) {
  return queryOptions({
    queryKey: ["traces", "one", id],
    queryFn: ({ signal }) => get<Trace>(`/api/v1/traces/${encodeURIComponent(id)}`, signal),
    retry: (failures, error) =>
      failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
  });
}

export function serviceMapQuery(range: TimeRange) {
  return queryOptions({
    queryKey: ["services", "map", range],
    queryFn: ({ signal }) => {
      const { start, end } = spanNow(range);
      const query = new URLSearchParams({ from: timeOf(start), to: timeOf(end) });
      return get<ServiceMap>(`/api/v1/services/map?${query}`, signal);
    },
    placeholderData: keepPreviousData,
    refetchInterval: refreshOf(range),
  });
}

interface Names {
  readonly data: readonly string[] | null;
}

/** Names of services, and of what one does, as spans have them. */
export const serviceNamesQuery = queryOptions({
  queryKey: ["services", "names"],
  queryFn: ({ signal }) => get<Names>("/jaeger/api/services", signal),
  select: ({ data }) => data ?? [],
  staleTime: 60_000,
});

export function operationNamesQuery(service: string) {
  return queryOptions({
    queryKey: ["services", "operations", service],
    queryFn: ({ signal }) =>
      get<Names>(`/jaeger/api/services/${encodeURIComponent(service)}/operations`, signal),
    select: ({ data }) => data ?? [],
    staleTime: 60_000,
    enabled: service !== "",
  });
}
