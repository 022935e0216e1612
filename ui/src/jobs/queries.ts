// What is asked of jobs.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ApiError, get } from "../api/client";
import type { Job, List } from "../api/types";
import type { Answer } from "../metrics/answer";
import { isLive, type TimeRange, timeOf } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";
import type { JobsSearch } from "./address";
import { bucketsOf, type GridFilter, gridExpr, gridOf } from "./grid/grid";
import { PAGE } from "./list/pages";

/** How often a list that is live is asked for again, in milliseconds. */
const LIST_EVERY = 5_000;

/** What a row of the list shows. A job's attempts and stages are the most of it, and no row shows them. */
export type ListedJob = Omit<Job, "attempts" | "stages" | "attributes">;

export interface JobPage {
  readonly items: readonly ListedJob[];
  readonly total: number;
}

/** One page of the jobs that something was said of within a range. */
export function jobPageQuery({ verdict: _verdict, ...filters }: JobsSearch, range: TimeRange, page: number) {
  return queryOptions({
    // Not among what the live stream calls old: it would be asked for anew with each job that ends.
    queryKey: ["job-list", filters, range, page],
    queryFn: ({ signal }) => jobPage(filters, range, page * PAGE, PAGE, signal),
    refetchInterval: isLive(range) ? LIST_EVERY : false,
    gcTime: 60_000,
    structuralSharing: false,
  });
}

/** How many unfinished jobs are looked through for those that something is wrong with. */
const JUDGED = 1_000;

/** Jobs that something is wrong with. Only unfinished ones are judged, and the server does not list by verdict. */
export function troubledJobsQuery({ verdict, status, ...filters }: JobsSearch, range: TimeRange) {
  return queryOptions({
    queryKey: ["job-list", "troubled", verdict, status, filters, range],
    queryFn: async ({ signal }): Promise<JobPage & { readonly isPart: boolean }> => {
      const statuses = (["running", "pending"] as const).filter(
        (one) => status === undefined || one === status,
      );
      const pages = await Promise.all(
        statuses.map((status) => jobPage({ ...filters, status }, range, 0, JUDGED, signal)),
      );
      const items = pages
        .flatMap(({ items }) => items)
        .filter(({ judgement }) =>
          verdict === "any" ? judgement.verdict !== "fine" : judgement.verdict === verdict,
        );
      return { items, total: items.length, isPart: pages.some(({ items, total }) => total > items.length) };
    },
    refetchInterval: isLive(range) ? 2 * LIST_EVERY : false,
  });
}

async function jobPage(
  filters: JobsSearch,
  range: TimeRange,
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<JobPage> {
  const query = new URLSearchParams({ limit: String(limit), offset: String(offset) });
  for (const [name, value] of Object.entries(filters)) if (value) query.set(name, value);
  const { start, end } = spanNow(range);
  query.set("since", timeOf(Math.floor(start)));
  if (!isLive(range)) query.set("until", timeOf(Math.ceil(end)));
  const { items, total } = await get<List<Job>>(`/api/v1/jobs?${query}`, signal);
  return { total, items: items.map(({ attempts: _a, stages: _s, attributes: _t, ...job }) => job) };
}

/** How many jobs ended in each part of a range, by kind. */
export function gridQuery(filter: GridFilter, range: TimeRange) {
  return queryOptions({
    queryKey: ["metrics", "job-grid", filter, range],
    queryFn: async ({ signal }) => {
      const buckets = bucketsOf(spanNow(range));
      const query = new URLSearchParams({
        query: gridExpr(filter, buckets.length),
        start: String(buckets.ends[0]),
        end: String(buckets.ends.at(-1)),
        step: String(buckets.length),
        limit: "1000",
      });
      const answer = await get<Answer>(`/prometheus/api/v1/query_range?${query}`, signal);
      return gridOf(answer, buckets);
    },
    placeholderData: keepPreviousData,
    refetchInterval: refreshOf(range),
  });
}

/** Jobs with a text in them, for the palette. */
export function foundJobsQuery(text: string) {
  return queryOptions({
    queryKey: ["job-list", "found", text],
    queryFn: ({ signal }) =>
      get<List<Job>>(`/api/v1/jobs?${new URLSearchParams({ q: text, limit: "8" })}`, signal),
    enabled: text.length >= 2,
    staleTime: 10_000,
    retry: (failures, error) => failures < 2 && error instanceof ApiError && error.status === 0,
  });
}
