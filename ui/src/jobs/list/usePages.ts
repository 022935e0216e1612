import { useQueries } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { TimeRange } from "../../time/range";
import type { JobsSearch } from "../address";
import { jobPageQuery, type ListedJob } from "../queries";
import { pagesIn, type Slot, slotsOf } from "./pages";

interface Pages {
  readonly slots: readonly Slot<ListedJob>[];
  /** How many jobs there are; undefined until the first answer. */
  readonly total: number | undefined;
  readonly error: Error | null;
  readonly retry: () => void;
  readonly onSight: (first: number, last: number) => void;
}

/** How long a list has to stand still until what is in sight is asked for, in milliseconds. */
const STILL = 60;

/** The jobs that are in sight, page by page; what was seen stays until it is old. */
export function usePages(filters: JobsSearch, range: TimeRange): Pages {
  const [inSight, see] = useState<readonly number[]>([0]);
  const key = JSON.stringify([filters, range]);
  const kept = useRef({
    key,
    total: undefined as number | undefined,
    pages: new Map<number, readonly ListedJob[]>(),
  });
  // Of other filters nothing is known yet.
  if (kept.current.key !== key) kept.current = { key, total: undefined, pages: new Map() };

  const queries = useQueries({ queries: inSight.map((page) => jobPageQuery(filters, range, page)) });
  const store = kept.current;
  let isChanged = false;
  for (const [place, { data }] of queries.entries()) {
    const page = inSight[place] ?? 0;
    if (data === undefined || store.pages.get(page) === data.items) continue;
    store.pages.set(page, data.items);
    store.total = data.total;
    isChanged = true;
  }
  const version = useRef(0);
  if (isChanged) version.current += 1;
  const total = store.total;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version tells of changes in the pages
  const slots = useMemo(() => slotsOf(total ?? 0, store.pages), [total, store, version.current]);

  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const onSight = useCallback((first: number, last: number) => {
    clearTimeout(timer.current);
    const pages = pagesIn(first, last);
    timer.current = setTimeout(() => {
      see((before) => (before.join() === pages.join() ? before : pages));
    }, STILL);
  }, []);
  return {
    slots,
    total,
    error: queries.find(({ error }) => error)?.error ?? null,
    retry: () => {
      for (const query of queries) void query.refetch();
    },
    onSight,
  };
}
