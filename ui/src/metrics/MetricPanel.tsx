import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { figuresOf } from "../components/chart/figures";
import type { Mark } from "../components/chart/marks";
import type { Shape } from "../components/chart/shape";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { useTimeRange } from "../time/useTimeRange";
import type { Labels } from "./answer";
import { GraphChart } from "./GraphChart";
import type { Graph } from "./graph";
import { PanelMenu } from "./PanelMenu";
import { graphQuery } from "./queries";

interface Props {
  readonly title: string;
  /** A few words beside the title. */
  readonly aside?: ReactNode;
  /** What is drawn, in PromQL. */
  readonly expr: string;
  /** What a line is called; as PromQL writes it when it is left out. */
  readonly name?: (labels: Labels) => string;
  /** How values are shown; as the names of metrics tell their unit when it is left out. */
  readonly show?: (value: number) => string;
  readonly shape?: Shape;
  /** The largest value that the axis always reaches to. */
  readonly top?: number;
  readonly height?: number;
  readonly marks?: readonly Mark[];
  /** Said where nothing is stored: what would bring something. */
  readonly empty?: ReactNode;
  /** Whether the lines are told apart below the chart. */
  readonly legend?: boolean;
  readonly onPress?: (time: number) => void;
  /** Whether the last value, and the average, stand above the chart: of the highest line, where there are several. */
  readonly figure?: boolean;
  /** What stands below the chart. */
  readonly below?: ReactNode;
}

/** An expression over the time that the page shows. */
export function MetricPanel(props: Props) {
  const { title, aside, expr, name, show, shape, top, height = 160, marks, empty, legend, onPress } = props;
  const { figure = false, below } = props;
  const range = useTimeRange();
  const query = useQuery(graphQuery(expr, range));
  const graph = useMemo(() => {
    if (!query.data) return undefined;
    const lines = name
      ? query.data.lines.map((line) => ({ ...line, name: name(line.labels) }))
      : query.data.lines;
    return { ...query.data, lines, show: show ?? query.data.show };
  }, [query.data, name, show]);
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
      <div className="px-4 pb-3">
        {query.error && !graph ? (
          <Failure error={query.error} retry={() => void query.refetch()} />
        ) : !graph ? (
          <Loading className="h-40" />
        ) : graph.lines.length === 0 ? (
          <Empty title="Nothing is stored of this time">{empty}</Empty>
        ) : (
          <>
            {figure && <Figure graph={graph} />}
            <GraphChart
              title={title}
              graph={graph}
              shape={shape}
              top={top}
              height={height}
              marks={marks}
              legend={legend}
              onPress={onPress}
            />
            {below}
          </>
        )}
      </div>
    </Panel>
  );
}

function Figure({ graph }: { readonly graph: Graph }) {
  const figures = graph.lines.map(({ values }) => figuresOf(values));
  const highest = figures.reduce((a, b) => ((b.last ?? 0) > (a.last ?? 0) ? b : a));
  return (
    <p className="flex items-baseline gap-2 pb-1">
      <span className="font-semibold text-2xl tabular-nums tracking-tight">
        {highest.last === null ? "–" : graph.show(highest.last)}
      </span>
      {highest.average !== null && (
        <span className="text-muted text-xs">{graph.show(highest.average)} on average</span>
      )}
    </p>
  );
}
