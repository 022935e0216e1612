import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Tabs } from "radix-ui";
import { graphQuery, instantQuery } from "../metrics/queries";
import { useTimeRange } from "../time/useTimeRange";
import type { ExploreSearch, Tab } from "./address";
import { ExpressionForm } from "./ExpressionForm";
import { GraphResult } from "./GraphResult";
import { Introduction } from "./Introduction";
import { Notes } from "./Notes";
import { Outcome } from "./Outcome";
import { rowsOf } from "./rows";
import { TableResult } from "./TableResult";

const route = getRouteApi("/shell/explore");

const TABS: readonly { readonly value: Tab; readonly text: string }[] = [
  { value: "graph", text: "Graph" },
  { value: "table", text: "Table" },
];
const TRIGGER =
  "-mb-px border-transparent border-b-2 px-3 py-2 text-muted hover:text-ink data-[state=active]:border-ink data-[state=active]:font-medium data-[state=active]:text-ink";

/** Any expression of PromQL, over the time that is shown or at its end. */
export function ExplorePage() {
  const search = route.useSearch();
  const range = useTimeRange();
  const { expr = "", tab = "graph" } = search;
  const navigate = route.useNavigate();
  const isGraph = tab === "graph";
  const graph = useQuery({ ...graphQuery(expr, range), enabled: isGraph && expr !== "" });
  const table = useQuery({ ...instantQuery(expr, range), select: rowsOf, enabled: !isGraph && expr !== "" });
  const shown = isGraph ? graph : table;

  const go = (change: Partial<ExploreSearch>) =>
    void navigate({ search: { ...search, ...change }, replace: true, resetScroll: false });
  const run = (text: string) => {
    // The same once more is an answer of now; another is a step that one can go back from.
    if (text === expr) void shown.refetch();
    else void navigate({ search: { ...search, expr: text } });
  };

  return (
    <div className="grid grid-cols-1 gap-4">
      <h1 className="font-semibold text-xl tracking-tight">Explore</h1>
      <ExpressionForm expr={expr} onRun={run} />
      {expr === "" ? (
        <Introduction />
      ) : (
        <>
          {shown.data && !shown.error && <Notes annotations={shown.data.annotations} />}
          <Tabs.Root
            value={tab}
            onValueChange={(value) => go({ tab: value === "table" ? "table" : "graph" })}
            className="grid grid-cols-1 gap-4"
          >
            <Tabs.List aria-label="How the answer is shown" className="flex border-line border-b">
              {TABS.map(({ value, text }) => (
                <Tabs.Trigger key={value} value={value} className={TRIGGER}>
                  {text}
                </Tabs.Trigger>
              ))}
            </Tabs.List>
            <Tabs.Content value="graph">
              <Outcome query={graph}>{(graph) => <GraphResult expr={expr} graph={graph} />}</Outcome>
            </Tabs.Content>
            <Tabs.Content value="table">
              <Outcome query={table}>{(rows) => <TableResult rows={rows} />}</Outcome>
            </Tabs.Content>
          </Tabs.Root>
        </>
      )}
    </div>
  );
}
