import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { isFault, SearchForm } from "../search/SearchForm";
import { withBound } from "../search/terms";
import { between } from "../time/range";
import { searchOf } from "../time/search";
import { spanNow, useTimeRange } from "../time/useTimeRange";
import { type TracesSearch, traceIdOf } from "./address";
import { LISTED, tracesQuery } from "./queries";
import { Scatter } from "./Scatter";
import { durationText } from "./scale";
import { TraceFilters } from "./TraceFilters";
import { TraceTable } from "./TraceTable";
import { Views } from "./Views";

const route = getRouteApi("/shell/traces");

/** Traces, searched for by what their spans are. */
export function TracesPage() {
  const { q = "", sort = "" } = route.useSearch();
  const range = useTimeRange();
  const navigate = route.useNavigate();
  const open = useNavigate();
  const traces = useQuery(tracesQuery(q, range));
  const { data, error } = traces;
  const items = useMemo(() => data?.items ?? [], [data]);
  // The picture moves when there is something new to draw.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const span = useMemo(() => spanNow(range), [range, data]);
  const openTrace = (id: string) => void open({ to: "/traces/$id", params: { id } });
  const go = (search: TracesSearch & { readonly from?: string; readonly to?: string }) =>
    void navigate({ search: kept(search), resetScroll: false });
  const query = (q: string) => go({ q, sort });
  const run = (text: string) => {
    const id = traceIdOf(text);
    if (id !== null) openTrace(id);
    else if (text === q) void traces.refetch();
    else query(text);
  };
  return (
    <div className="grid grid-cols-1 gap-4">
      <h1 className="font-semibold text-xl tracking-tight">Traces</h1>
      <Views />
      <SearchForm
        label="Search of spans"
        query={q}
        onRun={run}
        error={error}
        hints={data?.hints}
        placeholder="service:gateway duration>2s status:error, any attribute, or the id of a trace"
      />
      <TraceFilters q={q} onQuery={query} />
      {isFault(error) ? null : error && !data ? (
        <Failure error={error} retry={() => void traces.refetch()} />
      ) : !data ? (
        <Loading className="h-96" />
      ) : items.length === 0 ? (
        <Empty title="No trace of this time is found">
          {q === ""
            ? "Applications send spans by OpenTelemetry, to this server's address or its OTLP ports; the guide shows how."
            : "A longer range of time, or fewer terms, may find some."}
        </Empty>
      ) : (
        <>
          <Panel title="Durations" aside="a press opens a trace, dragging zooms">
            <div className="px-4 pb-2">
              <Scatter
                traces={items}
                span={span}
                onZoom={([start, end], [shortest, longest]) =>
                  go({
                    q: withBound(
                      withBound(q, "duration", ">=", durationText(shortest)),
                      "duration",
                      "<=",
                      durationText(longest),
                    ),
                    sort,
                    ...searchOf(between(start, end)),
                  })
                }
              />
            </div>
          </Panel>
          <Panel
            title="Traces"
            aside={
              items.length < LISTED
                ? `${items.length} found`
                : `the newest ${LISTED}; a shorter time shows others`
            }
          >
            <TraceTable
              traces={items}
              sort={sort}
              onSort={(sort) => go({ q, sort })}
              onOpen={({ trace_id }) => openTrace(trace_id)}
            />
          </Panel>
        </>
      )}
    </div>
  );
}

/** Without what says nothing. */
function kept(search: object): TracesSearch {
  return Object.fromEntries(
    Object.entries(search).filter(([, value]) => value !== "" && value !== undefined),
  );
}
