import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import { tracePath } from "../app/places";
import type { Mark } from "../components/chart/marks";
import { seconds } from "../format/format";
import { useTimeRange } from "../time/useTimeRange";
import { type Exemplar, exemplarName, exemplarsQuery } from "./exemplars";
import { MetricPanel } from "./MetricPanel";
import { quantileName, quantilesExpr } from "./quantiles";
import { rateWindow } from "./window";

interface Props {
  readonly title: string;
  /** The histogram, without `_bucket`. */
  readonly metric: string;
  /** What stands between the braces of its selector. */
  readonly selector?: string;
  /** Whose examples are shown as dots; none when it is left out. */
  readonly examples?: string;
  readonly empty?: ReactNode;
  readonly height?: number;
}

const NONE: readonly Exemplar[] = [];
/** How many examples are links below the chart, too: dots on a canvas are beyond the keyboard. */
const LINKS = 5;

/** The percentiles of a histogram of durations, and dots that open the traces of single ones. */
export function LatencyPanel({ title, metric, selector = "", examples, empty, height }: Props) {
  const range = useTimeRange();
  const navigate = useNavigate();
  const found = useQuery({ ...exemplarsQuery(examples ?? "", range), enabled: examples !== undefined });
  const exemplars = found.data ?? NONE;
  const marks = useMemo<readonly Mark[]>(
    // The largest last, where it is on top.
    () =>
      exemplars.toReversed().map((one) => ({
        kind: "example",
        time: one.time,
        value: one.value,
        name: `${exemplarName(one)}, ${seconds(one.value)}: open its trace`,
        onPress: () => void navigate({ to: tracePath(one.traceId) }),
      })),
    [exemplars, navigate],
  );
  return (
    <MetricPanel
      title={title}
      expr={quantilesExpr(metric, selector, rateWindow(range))}
      name={quantileName}
      show={seconds}
      marks={marks}
      // The axis reaches to the slowest of them.
      top={exemplars[0]?.value ?? 0}
      empty={empty}
      {...(height !== undefined ? { height } : {})}
      {...(exemplars.length > 0 ? { below: <Slowest exemplars={exemplars.slice(0, LINKS)} /> } : {})}
    />
  );
}

function Slowest({ exemplars }: { readonly exemplars: readonly Exemplar[] }) {
  return (
    <p className="flex flex-wrap gap-x-3 gap-y-1 border-line border-t pt-2 text-muted text-xs">
      <span>Slow traces, as dots above:</span>
      {exemplars.map((one) => (
        <Link
          key={one.traceId}
          to={tracePath(one.traceId)}
          className="max-w-60 truncate underline decoration-line-strong underline-offset-2 hover:text-ink"
        >
          {seconds(one.value)} {exemplarName(one)}
        </Link>
      ))}
    </p>
  );
}
