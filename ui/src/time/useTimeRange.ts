// The range of time that every view shows.

import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { DEFAULT_RANGE, isLive, type Span, spanOf, stepOf, type TimeRange } from "./range";
import { searchOf } from "./search";

const shell = getRouteApi("/shell");

/** The range of the address. */
export function useTimeRange(): TimeRange {
  const { from = DEFAULT_RANGE.from, to = DEFAULT_RANGE.to } = shell.useSearch();
  return useMemo(() => ({ from, to }), [from, to]);
}

/** Goes to another range: a step that one can go back from. */
export function useSetTimeRange(): (range: TimeRange) => void {
  const navigate = useNavigate();
  return useCallback(
    (range) => {
      void navigate({
        to: ".",
        // Whatever else the address says stays.
        search: (search) => {
          const { from: _from, to: _to, ...rest } = search as Record<string, unknown>;
          return { ...rest, ...searchOf(range) };
        },
        resetScroll: false,
      });
    },
    [navigate],
  );
}

/** The ends of a range as they are now. */
export function spanNow(range: TimeRange): Span {
  const now = Date.now();
  return spanOf(range, now) ?? (spanOf(DEFAULT_RANGE, now) as Span);
}

/** The shortest and the longest time between two answers, in seconds. */
const [SOONEST, LATEST] = [5, 60];

/** How often what is shown of a range is asked for again, in milliseconds; never, where it does not end now. */
export function refreshOf(range: TimeRange): number | false {
  if (!isLive(range)) return false;
  const { start, end } = spanNow(range);
  return Math.min(LATEST, Math.max(SOONEST, stepOf(end - start))) * 1000;
}
