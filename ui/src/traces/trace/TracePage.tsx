import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { ApiError } from "../../api/client";
import type { Trace } from "../../api/types";
import { Choice } from "../../components/Choice";
import { Empty, Failure, Loading } from "../../components/Notices";
import { Panel } from "../../components/Panel";
import { placeText } from "../../logs/address";
import type { TraceSearch, View } from "../address";
import { traceQuery } from "../queries";
import { FlameGraph } from "./FlameGraph";
import { Head } from "./Head";
import { type Row, rowsOf, type Tree, treeOf } from "./layout";
import { SpanDetails } from "./SpanDetails";
import { Waterfall } from "./Waterfall";

const route = getRouteApi("/shell/traces/$id");

const VIEWS = [
  { value: "waterfall", text: "Waterfall", short: "Waterfall" },
  { value: "flame", text: "Flame graph", short: "Flame" },
] as const;
const NOTHING_FOLDED: ReadonlySet<string> = new Set();

/** One trace. */
export function TracePage() {
  const { id } = route.useParams();
  const trace = useQuery(traceQuery(id));
  const tree = useMemo(() => trace.data && treeOf(trace.data), [trace.data]);
  if (trace.error && !trace.data) {
    const isUnknown = trace.error instanceof ApiError && trace.error.status === 404;
    return (
      <div className="grid gap-4">
        <h1 className="font-semibold text-xl tracking-tight">Trace</h1>
        {isUnknown ? (
          <Empty title="There is no such trace">
            It may be older than what is kept, not sampled, or not here yet: spans come when they end.
          </Empty>
        ) : (
          <Failure error={trace.error} retry={() => void trace.refetch()} />
        )}
      </div>
    );
  }
  if (!trace.data || !tree) return <Loading className="h-96" />;
  return <Whole trace={trace.data} tree={tree} />;
}

function Whole({ trace, tree }: { readonly trace: Trace; readonly tree: Tree }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const leave = useNavigate();
  const { view = "waterfall", span = null, frame = null, logs } = search;
  const node = useMemo(() => {
    const spans = rowsOf(tree, NOTHING_FOLDED, false).filter((row) => row.kind === "span");
    return spans.find(({ key }) => key === span) ?? spans[0];
  }, [tree, span]);
  const go = (change: Change, isStep = false) =>
    void navigate({ search: cleaned({ ...search, ...change }), replace: !isStep, resetScroll: false });
  const select = (row: Row) => {
    if (row.kind === "span") go({ span: row.key });
    else
      void leave({
        to: "/logs",
        search: { q: `trace_id:${trace.trace_id}`, line: placeText(row.line), around: "trace" },
      });
  };
  return (
    <div className="grid grid-cols-1 gap-4">
      <Head trace={trace} tree={tree} />
      {trace.more_spans && (
        <p role="status" className="rounded-lg bg-warn-soft px-3 py-2 text-warn">
          Only the first {trace.spans.length} spans are shown.
        </p>
      )}
      <div className="grid min-w-0 grid-cols-1 items-start gap-4 xl:grid-cols-[minmax(0,1fr)_24rem]">
        <Panel
          title={view === "flame" ? "Where the time went" : "What happened when"}
          aside={
            <span className="flex flex-wrap items-center justify-end gap-2">
              {view === "waterfall" && trace.logs.length > 0 && (
                <button
                  type="button"
                  aria-pressed={logs !== "off"}
                  onClick={() => go({ logs: logs === "off" ? undefined : "off" })}
                  className="h-8 rounded-lg border border-line px-2.5 aria-pressed:bg-raised aria-pressed:text-ink"
                >
                  Log lines
                </button>
              )}
              <Choice
                label="How it is shown"
                value={view}
                options={VIEWS}
                onChange={(view: View) => go({ view: view === "flame" ? view : undefined }, true)}
              />
            </span>
          }
        >
          <div className="pt-2 pb-1">
            {view === "flame" ? (
              <FlameGraph
                tree={tree}
                shown={frame}
                selected={span}
                onShow={(frame) => go({ frame: frame ?? undefined, ...(frame ? { span: frame } : {}) }, true)}
              />
            ) : (
              <>
                <Waterfall
                  tree={tree}
                  selected={node?.key ?? null}
                  hasLogs={logs !== "off"}
                  onSelect={select}
                />
                <Key />
              </>
            )}
          </div>
        </Panel>
        {node && (
          <section
            aria-label="The chosen span"
            className="min-w-0 rounded-xl border border-line bg-surface shadow-panel"
          >
            <SpanDetails
              node={node}
              traceId={trace.trace_id}
              begin={tree.begin}
              duration={tree.duration}
              onFind={(q) => void leave({ to: "/traces", search: { q } })}
            />
          </section>
        )}
      </div>
    </div>
  );
}

/** What bars mean. */
function Key() {
  return (
    <p className="flex flex-wrap items-center gap-x-4 gap-y-1 border-line border-t px-3 pt-2 pb-1 text-muted text-xs">
      <Mark look="bg-ink">ran by itself, and the whole trace waited for it (critical path)</Mark>
      <Mark look="bg-line-strong">ran by itself</Mark>
      <Mark look="bg-line">its parts ran</Mark>
      <Mark look="bg-bad">failed</Mark>
    </p>
  );
}

function Mark({ look, children }: { readonly look: string; readonly children: string }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <span aria-hidden="true" className={`h-2.5 w-5 rounded-[3px] ${look}`} />
      {children}
    </span>
  );
}

/** What becomes another; what is undefined goes from the address. */
type Change = { readonly [K in keyof TraceSearch]?: TraceSearch[K] | undefined };

function cleaned(search: Change): TraceSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}
