// What is asked of queues.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ApiError, get, post } from "../api/client";
import type { Job, List, Operation, OperationAnswer, Queue, QueueDetail } from "../api/types";

/** How often what is now is asked for again, in milliseconds. */
const AGAIN = 5_000;

export const queuesQuery = queryOptions({
  queryKey: ["queues"],
  queryFn: ({ signal }) => get<List<Queue>>("/api/v1/queues?limit=1000", signal),
  refetchInterval: AGAIN,
});

export function queueQuery(name: string) {
  return queryOptions({
    queryKey: ["queues", name],
    queryFn: ({ signal }) => get<QueueDetail>(pathOf(name), signal),
    refetchInterval: AGAIN,
    retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status === 404),
  });
}

/** How many jobs of each status are looked at for who works on them, and what is wrong with them. */
export const LOOKED_AT = 300;

/** Jobs of a queue that are not done: those that run, and those that have waited longest. */
export function openJobsQuery(name: string) {
  return queryOptions({
    // Not among ["jobs"], which the live stream has asked again each second: this is too much for that.
    queryKey: ["queues", name, "open"],
    queryFn: async ({ signal }) => {
      const ask = (status: string, limit: number, offset = 0) => {
        const query = new URLSearchParams({ queue: name, status, limit: `${limit}`, offset: `${offset}` });
        return get<List<Job>>(`/api/v1/jobs?${query}`, signal);
      };
      const [running, waiting] = await Promise.all([ask("running", LOOKED_AT), ask("pending", LOOKED_AT)]);
      // The newest come first, and what is stuck is old.
      const oldest =
        waiting.total > LOOKED_AT ? await ask("pending", LOOKED_AT, waiting.total - LOOKED_AT) : waiting;
      const isWhole = running.total <= LOOKED_AT && waiting.total <= LOOKED_AT;
      return { jobs: [...running.items, ...oldest.items], isWhole };
    },
    placeholderData: keepPreviousData,
    refetchInterval: 2 * AGAIN,
  });
}

/** Looks at what an operation would do, or, with a digest, does it. */
export function operate(name: string, operation: Operation): Promise<OperationAnswer> {
  return post<OperationAnswer>(`${pathOf(name)}/operations`, operation);
}

function pathOf(name: string): string {
  return `/api/v1/queues/${encodeURIComponent(name)}`;
}
