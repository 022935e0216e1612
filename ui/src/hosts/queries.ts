// What is asked of hosts, and of what runs on them.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import type { Collector, Exit, Host, List, Probe, Worker } from "../api/types";
import { isLive, type TimeRange, timeOf } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";

/** How often what is now is asked for again, in milliseconds. */
const AGAIN = 15_000;

/** Hosts, with their largest processes. */
export const hostsQuery = queryOptions({
  queryKey: ["hosts"],
  queryFn: ({ signal }) => get<List<Host>>("/api/v1/hosts?limit=1000", signal),
  refetchInterval: AGAIN,
});

export function hostQuery(name: string) {
  return queryOptions({
    queryKey: ["hosts", name],
    queryFn: ({ signal }) => get<Host>(`/api/v1/hosts/${encodeURIComponent(name)}`, signal),
    refetchInterval: AGAIN,
    retry: false,
  });
}

/** How the collector of GPUs does: why there is none. */
export const gpuCollectorsQuery = queryOptions({
  queryKey: ["collectors", "gpus"],
  queryFn: ({ signal }) => get<List<Collector>>("/api/v1/collectors?limit=1000", signal),
  select: ({ items }) => items.filter(({ name }) => name === "gpus"),
  staleTime: 60_000,
});

export const probesQuery = queryOptions({
  queryKey: ["probes"],
  queryFn: ({ signal }) => get<List<Probe>>("/api/v1/probes?limit=1000", signal),
  refetchInterval: AGAIN,
});

/** Workers, by whose process ids it is known what processes are. */
export const workersOfHostsQuery = queryOptions({
  queryKey: ["workers", "processes"],
  queryFn: ({ signal }) => get<List<Worker>>("/api/v1/workers?limit=1000", signal),
  refetchInterval: AGAIN,
});

/** Processes of a host that ended badly in a range, newest first. */
export function exitsQuery(host: string, range: TimeRange) {
  return queryOptions({
    queryKey: ["exits", host, range],
    queryFn: async ({ signal }) => {
      const { start, end } = spanNow(range);
      const query = new URLSearchParams({ host, since: timeOf(start), limit: "200" });
      const list = await get<List<Exit>>(`/api/v1/exits?${query}`, signal);
      // The API knows no end of the time.
      return isLive(range) ? list.items : list.items.filter(({ time }) => Date.parse(time) / 1000 <= end);
    },
    placeholderData: keepPreviousData,
    refetchInterval: refreshOf(range),
  });
}
