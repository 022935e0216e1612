import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import { useTheme } from "../../app/theme";
import { between } from "../../time/range";
import { useSetTimeRange } from "../../time/useTimeRange";
import { useZone } from "../../time/zone";
import { type Band, bandName, fullestOf } from "./buckets";
import { type DrawnHeatmap, heatmapOptions } from "./heatmapOptions";

interface Props {
  /** What is drawn, for those who do not see it. What most observations lie between is added. */
  readonly label: string;
  /** Times, in seconds since the epoch. */
  readonly times: readonly number[];
  /** What lies between two bounds at each time, the lowest first. */
  readonly bands: readonly Band[];
  readonly span: readonly [number, number];
  /** A bound as it stands at the axis. */
  readonly showBound: (value: number) => string;
  /** How full a cell is, as it is told at the pointer. */
  readonly showValue: (value: number) => string;
  readonly height?: number;
}

/** How values are spread over time: the darker a cell, the more lie there. Dragging zooms, as on every chart. */
export function Heatmap(props: Props) {
  const { label, times, bands, span, showBound, showValue, height = 180 } = props;
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const readout = useRef<HTMLDivElement>(null);
  const [theme] = useTheme();
  const [zone] = useZone();
  const go = useSetTimeRange();
  const now: DrawnHeatmap = {
    times,
    bands,
    span,
    showBound,
    showValue,
    zoom: (start, end) => go(between(start, end)),
  };
  const latest = useRef(now);
  latest.current = now;
  const fullest = useMemo(() => fullestOf(bands), [bands]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew for another theme, whose colours it reads
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const made = new uPlot(heatmapOptions({ element, height, latest, readout, zone }), [[], []], element);
    chart.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [theme, zone, height]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart that was made anew needs its data again
  useEffect(() => {
    // What is drawn are the bands; the second row is there for the pointer, which stops at its times.
    chart.current?.setData([times as number[], times.map(() => 0)]);
  }, [times, bands, span, theme, zone, height]);

  const most = fullest === null ? "" : `; most are ${bandName(fullest, showBound)}`;
  return (
    <div className="relative">
      <div ref={holder} role="img" aria-label={`${label}${most}`} style={{ height }} />
      <div
        ref={readout}
        aria-hidden="true"
        className="pointer-events-none absolute top-0 right-0 max-w-full truncate rounded bg-surface/90 px-1.5 text-muted text-xs tabular-nums"
      />
    </div>
  );
}
