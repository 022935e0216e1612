import { Empty } from "../components/Notices";
import { Panel } from "../components/Panel";
import { count, seconds } from "../format/format";
import { GraphChart } from "../metrics/GraphChart";
import type { Graph } from "../metrics/graph";
import { PanelMenu } from "../metrics/PanelMenu";

interface Props {
  readonly expr: string;
  readonly graph: Graph;
}

/** Lines over time, and which is which. */
export function GraphResult({ expr, graph }: Props) {
  const { lines, window, histograms, more } = graph;
  if (lines.length === 0) {
    return (
      <Panel title="Graph">
        {histograms > 0 ? (
          <Empty title="Native histograms have no line">
            The table shows their count and sum; <code>histogram_quantile(0.9, …)</code> makes a line of one.
          </Empty>
        ) : (
          <Empty title="No series in this time">
            Nothing that the expression selects was stored in the time that is shown.
          </Empty>
        )}
      </Panel>
    );
  }
  const step = window.step < 60 ? `${window.step} s` : seconds(window.step);
  return (
    <Panel
      title="Graph"
      aside={
        <span className="flex items-center gap-2">
          {count(lines.length)} series, a point every {step}
          <PanelMenu title={expr} expr={expr} graph={graph} />
        </span>
      }
    >
      <div className="grid grid-cols-1 gap-3 px-4 pt-1 pb-4">
        <GraphChart title={expr} graph={graph} height={320} legend />
        {more > 0 && <p className="text-muted">{count(more)} more series are not drawn.</p>}
        {histograms > 0 && (
          <p className="text-muted">{count(histograms)} series are native histograms, which have no line.</p>
        )}
      </div>
    </Panel>
  );
}
