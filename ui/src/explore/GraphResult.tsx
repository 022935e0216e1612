import { useMemo, useState } from "react";
import { Empty } from "../components/Notices";
import { Panel } from "../components/Panel";
import { TimeChart } from "../components/TimeChart";
import { count, seconds } from "../format/format";
import type { Graph } from "./graph";
import { Legend } from "./Legend";
import type { Range } from "./range";

interface Props {
  readonly graph: Graph;
  readonly range: Range;
}

/** Lines over time, and which is which. */
export function GraphResult({ graph, range }: Props) {
  const { lines, window, histograms, more } = graph;
  const span = useMemo(() => [window.start, window.end] as const, [window]);
  const [pointed, point] = useState<number | null>(null);
  // By name: when it is asked again, series come and go.
  const [pinned, pin] = useState<string | null>(null);
  const place = lines.findIndex(({ name }) => name === pinned);
  const emphasised = pointed ?? (place === -1 ? null : place);

  if (lines.length === 0) {
    return (
      <Panel title="Graph">
        {histograms > 0 ? (
          <Empty title="Native histograms have no line">
            The table shows their count and sum; <code>histogram_quantile(0.9, …)</code> makes a line of one.
          </Empty>
        ) : (
          <Empty title="No series in this time">
            Nothing that the expression selects was stored in the last {range} before the end.
          </Empty>
        )}
      </Panel>
    );
  }
  const amount = `${count(lines.length)} series`;
  const step = window.step < 60 ? `${window.step} s` : seconds(window.step);
  return (
    <Panel title="Graph" aside={`${amount}, a point every ${step}`}>
      <div className="grid grid-cols-1 gap-3 px-4 pt-1 pb-4">
        <TimeChart
          label={`${amount} over ${range}`}
          times={graph.times}
          lines={lines}
          span={span}
          show={graph.show}
          height={320}
          emphasised={emphasised}
          onPoint={point}
        />
        <Legend lines={lines} emphasised={emphasised} pinned={pinned} onPoint={point} onPin={pin} />
        {more > 0 && <p className="text-muted">{count(more)} more series are not drawn.</p>}
        {histograms > 0 && (
          <p className="text-muted">{count(histograms)} series are native histograms, which have no line.</p>
        )}
      </div>
    </Panel>
  );
}
