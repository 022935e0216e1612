// What the overview asks for.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import type { Job, List, Overview, RequestStats, SystemStats } from "../api/types";
import type { Period } from "./period";

/** The pipeline now. The live stream keeps it current; asking again is for when there is no stream. */
export const overviewQuery = queryOptions({
  queryKey: ["overview"],
  queryFn: ({ signal }) => get<Overview>("/api/v1/overview", signal),
  refetchInterval: 30_000,
});

/** CPU, memory and queue length over a period, as seed 003 names them. */
export function systemStatsQuery(period: Period) {
  return queryOptions({
    queryKey: ["statistics", "system", period],
    queryFn: ({ signal }) => get<SystemStats>(`/api/admin/stats/system?period=${period}`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: period === "hour" ? 15_000 : 60_000,
  });
}

/** Requests of the watched applications over a period, by route. */
export function requestStatsQuery(period: Period) {
  return queryOptions({
    queryKey: ["statistics", "requests", period],
    queryFn: ({ signal }) =>
      get<RequestStats>(`/api/v1/requests/stats?by=route&period=${period}&limit=5`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: period === "hour" ? 15_000 : 60_000,
  });
}

/** The jobs that were submitted last. */
export const recentJobsQuery = queryOptions({
  queryKey: ["jobs", "recent"],
  queryFn: ({ signal }) => get<List<Job>>("/api/v1/jobs?limit=12", signal),
  refetchInterval: 30_000,
});
