import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import type { Rule } from "../api/types";
import type { Mark } from "../components/chart/marks";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { decimal } from "../format/format";
import type { Labels } from "../metrics/answer";
import { GraphChart } from "../metrics/GraphChart";
import type { Graph } from "../metrics/graph";
import { PanelMenu } from "../metrics/PanelMenu";
import { graphQuery } from "../metrics/queries";
import { useTimeRange } from "../time/useTimeRange";
import { toneOf } from "./order";
import { thresholdOf } from "./threshold";

interface Props {
  readonly title: string;
  readonly rule: Rule;
  /** The labels of the alert that is asked about; all series are shown when it is left out. */
  readonly of?: Labels;
  /** What stands on the chart beside the threshold. */
  readonly marks?: readonly Mark[];
  readonly aside?: ReactNode;
}

const NO_MARKS: readonly Mark[] = [];

/** A rule's expression over the time that the page shows, and the number that it is compared with. */
export function RuleChart({ title, rule, of, marks = NO_MARKS, aside }: Props) {
  const range = useTimeRange();
  const threshold = useMemo(() => thresholdOf(rule.query), [rule.query]);
  const expr = threshold?.expr ?? rule.query;
  const query = useQuery(graphQuery(expr, range));
  const graph = useMemo(
    () => (query.data && of ? onlyOf(query.data, of, rule.labels) : query.data),
    [query.data, of, rule.labels],
  );
  const tone = toneOf(rule.severity ?? "");
  const all = useMemo(() => {
    if (!threshold) return marks;
    const name = `fires ${threshold.operator} ${decimal(threshold.value)}`;
    return [...marks, { kind: "threshold", value: threshold.value, tone, name } as const];
  }, [marks, threshold, tone]);
  return (
    <Panel
      title={title}
      aside={
        <span className="flex items-center gap-2">
          {aside}
          <PanelMenu title={title} expr={expr} graph={graph} />
        </span>
      }
    >
      <div className="grid grid-cols-1 gap-2 px-4 pb-3">
        <code className="whitespace-pre-wrap wrap-anywhere text-[13px] text-muted">{rule.query.trim()}</code>
        {query.error && !graph ? (
          <Failure error={query.error} retry={() => void query.refetch()} />
        ) : !graph ? (
          <Loading className="h-44" />
        ) : graph.lines.length === 0 ? (
          <Empty title="Nothing is stored of this time">
            {threshold
              ? "What the rule compares gave nothing then: what it asks for was not measured."
              : "The expression gives something only while its condition holds."}
          </Empty>
        ) : (
          <GraphChart
            title={title}
            graph={graph}
            height={180}
            marks={all}
            top={threshold && threshold.value > 0 ? threshold.value * 1.15 : 0}
          />
        )}
        {!threshold && (
          <p className="text-muted text-xs">
            It is compared with no plain number, so there is no threshold to draw: where there is a line, the
            condition holds.
          </p>
        )}
      </div>
    </Panel>
  );
}

/** The lines of one alert: those whose labels it has. All, where none is told to be. */
function onlyOf(graph: Graph, labels: Labels, rule: Labels): Graph {
  const lines = graph.lines.filter((line) =>
    Object.entries(line.labels).every(
      // What the rule itself sets says nothing of the series.
      ([name, value]) => name === "__name__" || name in rule || labels[name] === value,
    ),
  );
  return lines.length === 0 ? graph : { ...graph, lines };
}
