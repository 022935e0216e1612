// Examples of what was measured: single observations that lead to their traces.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import { type TimeRange, timeOf } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";
import type { Labels } from "./answer";

/** The most that are shown: those with the largest values. */
const MOST = 60;

/** The answer of `query_exemplars`. */
export interface ExemplarAnswer {
  readonly data: readonly {
    readonly seriesLabels: Labels;
    readonly exemplars: readonly {
      readonly labels: Labels;
      readonly timestamp: number;
      readonly value: string;
    }[];
  }[];
}

export interface Exemplar {
  readonly traceId: string;
  /** In seconds since the epoch. */
  readonly time: number;
  readonly value: number;
  readonly series: Labels;
}

/** Examples of the series of an expression over a range. */
export function exemplarsQuery(expr: string, range: TimeRange) {
  return queryOptions({
    queryKey: ["metrics", "exemplars", expr, range],
    queryFn: async ({ signal }) => {
      const { start, end } = spanNow(range);
      const query = new URLSearchParams({ query: expr, start: timeOf(start), end: timeOf(end) });
      return exemplarsOf(await get<ExemplarAnswer>(`/prometheus/api/v1/query_exemplars?${query}`, signal));
    },
    placeholderData: keepPreviousData,
    refetchInterval: refreshOf(range),
  });
}

/** Those that lead to a trace, each trace once, the largest first. */
export function exemplarsOf(answer: ExemplarAnswer): readonly Exemplar[] {
  const all = answer.data.flatMap(({ seriesLabels, exemplars }) =>
    exemplars.flatMap(({ labels, timestamp, value }) => {
      const traceId = labels.trace_id ?? labels.traceID;
      const number = Number(value);
      if (traceId === undefined || !Number.isFinite(number)) return [];
      return [{ traceId, time: timestamp, value: number, series: seriesLabels }];
    }),
  );
  const largest = new Map<string, Exemplar>();
  for (const one of all) {
    if (one.value > (largest.get(one.traceId)?.value ?? Number.NEGATIVE_INFINITY))
      largest.set(one.traceId, one);
  }
  return [...largest.values()].sort((a, b) => b.value - a.value).slice(0, MOST);
}

/** What an example is of, in words. */
export function exemplarName({ series }: Exemplar): string {
  const what = series.span_name ?? series.route ?? series.__name__ ?? "";
  const where = series.service_name ?? series.service;
  return where === undefined ? what : `${where}: ${what}`;
}
