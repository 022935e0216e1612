import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { bandsOf } from "../components/chart/buckets";
import { Heatmap } from "../components/chart/Heatmap";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { rate } from "../format/format";
import { relativeName } from "../time/range";
import { useTimeRange } from "../time/useTimeRange";
import { PanelMenu } from "./PanelMenu";
import { graphQuery } from "./queries";

interface Props {
  readonly title: string;
  /** Cumulative buckets per second, a series for each `le`. */
  readonly expr: string;
  /** A bound, as it stands at the axis. */
  readonly show: (value: number) => string;
  readonly height?: number;
  /** Said where nothing is stored: what would bring something. */
  readonly empty?: ReactNode;
}

/** How the values of a histogram are spread, over the time that the page shows. */
export function HeatmapPanel({ title, expr, show, height, empty }: Props) {
  const range = useTimeRange();
  const query = useQuery(graphQuery(expr, range));
  const drawn = useMemo(() => {
    if (!query.data) return undefined;
    const { lines, window, times } = query.data;
    const bands = bandsOf(lines.map(({ labels, values }) => ({ le: boundOf(labels.le), values })));
    return { bands, times, span: [window.start, window.end] as const };
  }, [query.data]);
  return (
    <Panel title={title} aside={<PanelMenu title={title} expr={expr} graph={query.data} />}>
      <div className="px-4 pb-3">
        {query.error && !drawn ? (
          <Failure error={query.error} retry={() => void query.refetch()} />
        ) : !drawn ? (
          <Loading className="h-40" />
        ) : drawn.bands.length === 0 ? (
          <Empty title="Nothing is stored of this time">{empty}</Empty>
        ) : (
          <Heatmap
            label={`${title}, ${relativeName(range) ?? "the time that is chosen"}`}
            {...drawn}
            showBound={show}
            showValue={rate}
            {...(height !== undefined ? { height } : {})}
          />
        )}
      </div>
    </Panel>
  );
}

/** A bound as a label has it; the last is `+Inf`. */
function boundOf(le: string | undefined): number {
  return le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le ?? Number.NaN);
}
