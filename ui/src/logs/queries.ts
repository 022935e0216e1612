// What the logs ask for.

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "../api/client";
import type { LogContext, LogFacets, LogHistogram, LogPage, LogPatterns, LogRecord } from "../api/types";
import { type TimeRange, timeOf } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";
import type { Around, Place } from "./address";

interface Ends {
  readonly from: string;
  readonly to: string;
}

function endsOf(range: TimeRange): Ends {
  const { start, end } = spanNow(range);
  return { from: timeOf(start), to: timeOf(end) };
}

/** How many lines come at once. */
const PAGE = 200;

interface Page extends LogPage {
  /** Of which time it is: the next page has to be of the same. */
  readonly ends: Ends;
}

interface Next {
  readonly cursor: string;
  readonly ends: Ends;
}

/** Lines, page by page. They are asked for anew with the clock unless somebody reads them. */
export function linesQuery(q: string, range: TimeRange, order: "newest" | "oldest", isRead: boolean) {
  return infiniteQueryOptions({
    queryKey: ["logs", "lines", q, range, order],
    queryFn: async ({ signal, pageParam }): Promise<Page> => {
      const ends = pageParam?.ends ?? endsOf(range);
      const query = new URLSearchParams({ q, ...ends, order, limit: `${PAGE}` });
      if (pageParam) query.set("cursor", pageParam.cursor);
      return { ...(await get<LogPage>(`/api/v1/logs?${query}`, signal)), ends };
    },
    initialPageParam: null as Next | null,
    getNextPageParam: ({ next_cursor, ends }): Next | null =>
      next_cursor == null ? null : { cursor: next_cursor, ends },
    retry: false,
    refetchInterval: isRead || order === "oldest" ? false : refreshOf(range),
    refetchOnWindowFocus: false,
  });
}

/** About how many columns a histogram has. */
const COLUMNS = 80;

export function histogramQuery(q: string, range: TimeRange) {
  return queryOptions({
    queryKey: ["logs", "histogram", q, range],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams({ q, ...endsOf(range), buckets: `${COLUMNS}` });
      return get<LogHistogram>(`/api/v1/logs/histogram?${query}`, signal);
    },
    placeholderData: keepPreviousData,
    retry: false,
    refetchInterval: refreshOf(range),
  });
}

/** The most values of a field that are shown. */
const VALUES = 12;

export function facetsQuery(q: string, range: TimeRange, fields: readonly string[]) {
  return queryOptions({
    queryKey: ["logs", "facets", q, range, fields],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams({
        q,
        ...endsOf(range),
        fields: fields.join(","),
        limit: `${VALUES}`,
      });
      return get<LogFacets>(`/api/v1/logs/facets?${query}`, signal);
    },
    placeholderData: keepPreviousData,
    retry: false,
    refetchInterval: refreshOf(range),
  });
}

export function patternsQuery(q: string, range: TimeRange) {
  return queryOptions({
    queryKey: ["logs", "patterns", q, range],
    queryFn: ({ signal }) =>
      get<LogPatterns>(
        `/api/v1/logs/patterns?${new URLSearchParams({ q, ...endsOf(range), limit: "200" })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    retry: false,
    refetchInterval: refreshOf(range),
  });
}

/** Lines around one, of the same source. */
export function aroundQuery(place: Place, narrow: Readonly<Record<string, string>>, amount: number) {
  return queryOptions({
    queryKey: ["logs", "around", place, narrow, amount],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams({ ...place, ...narrow, before: `${amount}`, after: `${amount}` });
      return get<LogContext>(`/api/v1/logs/context?${query}`, signal);
    },
    placeholderData: keepPreviousData,
    retry: false,
  });
}

/** What narrows the lines around one; null where the line does not say it. */
export function narrowingOf(around: Around, line: LogRecord): Readonly<Record<string, string>> | null {
  const { origin, trace_id, conventions } = line;
  const by = (name: string, value: string | null | undefined) => (value ? { [name]: value } : null);
  switch (around) {
    case "service":
      return by("service", origin.service);
    case "host":
      return by("host", origin.host);
    case "trace":
      return by("trace_id", trace_id);
    case "job":
      return by("job_id", conventions.job_id);
    case "all":
      return {};
  }
}
