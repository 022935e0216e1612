// What the overview asks for.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import type { Job, List, Overview, RequestStats } from "../api/types";
import { type TimeRange, timeOf } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";

/** The pipeline now. The live stream keeps it current; asking again is for when there is no stream. */
export const overviewQuery = queryOptions({
  queryKey: ["overview"],
  queryFn: ({ signal }) => get<Overview>("/api/v1/overview", signal),
  refetchInterval: 30_000,
});

/** Requests of the watched applications over a range, by route. */
export function requestStatsQuery(range: TimeRange) {
  return queryOptions({
    queryKey: ["statistics", "requests", range],
    queryFn: ({ signal }) => {
      const { start, end } = spanNow(range);
      const query = new URLSearchParams({
        by: "route",
        since: timeOf(start),
        until: timeOf(end),
        limit: "5",
      });
      return get<RequestStats>(`/api/v1/requests/stats?${query}`, signal);
    },
    placeholderData: keepPreviousData,
    refetchInterval: refreshOf(range),
  });
}

/** The jobs that were submitted last. */
export const recentJobsQuery = queryOptions({
  queryKey: ["jobs", "recent"],
  queryFn: ({ signal }) => get<List<Job>>("/api/v1/jobs?limit=12", signal),
  refetchInterval: 30_000,
});
