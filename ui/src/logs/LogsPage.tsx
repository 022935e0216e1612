import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Tabs } from "radix-ui";
import { type ReactNode, useCallback, useState } from "react";
import type { LogRecord } from "../api/types";
import { isFault, SearchForm } from "../search/SearchForm";
import { useTimeRange } from "../time/useTimeRange";
import { AroundLine } from "./AroundLine";
import { type LogsSearch, placeOf, type Show } from "./address";
import { Facets } from "./Facets";
import { LevelHistogram } from "./LevelHistogram";
import { LineDetails } from "./LineDetails";
import { Patterns } from "./Patterns";
import { histogramQuery } from "./queries";
import { StoredLines } from "./StoredLines";
import { TailLines } from "./tail/TailLines";

const route = getRouteApi("/shell/logs");

const TABS: readonly { readonly value: Show; readonly text: string }[] = [
  { value: "lines", text: "Lines" },
  { value: "patterns", text: "Patterns" },
  { value: "tail", text: "Live tail" },
];
const TRIGGER =
  "-mb-px border-transparent border-b-2 px-3 py-2 text-muted hover:text-ink data-[state=active]:border-ink data-[state=active]:font-medium data-[state=active]:text-ink";

/** Log records: searched, counted, by what they say, and as they come. */
export function LogsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const range = useTimeRange();
  const { q = "", show = "lines", order, line, around = "service", facets = "" } = search;
  const isTail = show === "tail";
  // Of a tail it is asked all the same: the answer says what is wrong with the search.
  const histogram = useQuery(histogramQuery(q, range));
  const go = useCallback(
    (change: Change, isStep = true) =>
      void navigate({
        search: (now) => cleaned({ ...now, ...change }),
        replace: !isStep,
        resetScroll: false,
      }),
    [navigate],
  );
  const query = useCallback((q: string) => go({ q }), [go]);
  const openAround = useCallback((line: string) => go({ line }), [go]);
  const lines = useCallback((q: string) => go({ q, show: "lines" }), [go]);
  const details = (record: LogRecord) => (
    <LineDetails line={record} query={q} onQuery={query} onAround={openAround} />
  );
  const run = (text: string) => (text === q ? void histogram.refetch() : query(text));
  const place = line === undefined ? null : placeOf(line);
  const isWrong = isFault(histogram.error);

  return (
    <div className="grid grid-cols-1 gap-4">
      <h1 className="font-semibold text-xl tracking-tight">Logs</h1>
      <SearchForm
        label="Search of log records"
        query={q}
        onRun={run}
        error={histogram.error}
        hints={histogram.data?.hints}
        placeholder={'level>=warn service:ocr "timed out"'}
      />
      {!isTail && !histogram.error && <LevelHistogram histogram={histogram.data} />}
      {!isWrong && (
        <div
          className={`grid min-w-0 grid-cols-1 gap-4 ${isTail ? "" : "lg:grid-cols-[15rem_minmax(0,1fr)]"}`}
        >
          {!isTail && (
            <FacetColumn>
              <Facets
                q={q}
                more={facets === "" ? [] : facets.split(",")}
                onQuery={query}
                onMore={(fields) => go({ facets: fields.join(",") }, false)}
              />
            </FacetColumn>
          )}
          <Tabs.Root
            value={show}
            onValueChange={(value) => go({ show: TABS.find((tab) => tab.value === value)?.value })}
            className="min-w-0"
          >
            <div className="flex items-center justify-between border-line border-b">
              <Tabs.List aria-label="What is shown of the lines" className="flex">
                {TABS.map(({ value, text }) => (
                  <Tabs.Trigger key={value} value={value} className={TRIGGER}>
                    {text}
                  </Tabs.Trigger>
                ))}
              </Tabs.List>
              {show === "lines" && (
                <button
                  type="button"
                  onClick={() => go({ order: order ? undefined : "oldest" })}
                  className="min-h-8 px-2 text-muted text-xs hover:text-ink"
                >
                  {order ? "Oldest first" : "Newest first"}
                </button>
              )}
            </div>
            <div className="overflow-hidden rounded-b-xl border border-line border-t-0 bg-surface shadow-panel">
              <Tabs.Content value="lines">
                <StoredLines
                  q={q}
                  order={order ?? "newest"}
                  total={histogram.data?.total}
                  details={details}
                />
              </Tabs.Content>
              <Tabs.Content value="patterns">
                <Patterns q={q} onLines={lines} onAround={openAround} />
              </Tabs.Content>
              <Tabs.Content value="tail">
                <TailLines key={q} q={q} details={details} />
              </Tabs.Content>
            </div>
          </Tabs.Root>
        </div>
      )}
      {place && (
        <AroundLine
          place={place}
          around={around}
          onAround={(around) => go({ around: around === "service" ? undefined : around }, false)}
          onClose={() => go({ line: undefined, around: undefined }, false)}
          details={(record) => (
            <LineDetails line={record} query={q} onQuery={(q) => go({ q, line: undefined })} />
          )}
        />
      )}
    </div>
  );
}

/** What becomes another; what is undefined goes from the address. */
type Change = { readonly [K in Exclude<keyof LogsSearch, "show">]?: LogsSearch[K] | undefined } & {
  readonly show?: Show | undefined;
};

/** Without what says nothing. */
function cleaned(search: Change): LogsSearch {
  const kept = Object.entries(search).filter(
    ([name, value]) => value !== undefined && value !== "" && !(name === "show" && value === "lines"),
  );
  return Object.fromEntries(kept) as LogsSearch;
}

/** Beside the lines; above them, and folded up, where there is no room. */
function FacetColumn({ children }: { readonly children: ReactNode }) {
  const [isOpen, open] = useState(false);
  return (
    <aside aria-label="Counts by field" className="min-w-0">
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => open(!isOpen)}
        className="min-h-8 font-medium text-[13px] lg:hidden"
      >
        {isOpen ? "Hide counts by field" : "Show counts by field"}
      </button>
      <h2 className="sr-only">Counts by field</h2>
      <div className={isOpen ? "pt-2" : "max-lg:hidden"}>{children}</div>
    </aside>
  );
}
