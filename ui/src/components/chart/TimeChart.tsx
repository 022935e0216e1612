import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import { useTheme } from "../../app/theme";
import { between } from "../../time/range";
import { useSetTimeRange } from "../../time/useTimeRange";
import { useZone } from "../../time/zone";
import type { Mark } from "./marks";
import { type ChartLine, chartOptions, type Drawn, emphasise } from "./options";
import { columned, type Shape, stacked } from "./shape";

interface Props {
  /** What is drawn, for those who do not see it. */
  readonly label: string;
  /** Times, in seconds since the epoch. */
  readonly times: readonly number[];
  /** Lines, with a value for each time. */
  readonly lines: readonly ChartLine[];
  /** The span that is drawn, in seconds since the epoch. */
  readonly span: readonly [number, number];
  /** A value as it stands at the axis and at the pointer. */
  readonly show: (value: number) => string;
  /** Lines when it is left out. */
  readonly shape?: Shape;
  /** The largest value that the axis always reaches to. */
  readonly top?: number;
  readonly height?: number;
  /** Thresholds, and what happened when. */
  readonly marks?: readonly Mark[];
  /** The place of the line that stands out from the others. */
  readonly emphasised?: number | null;
  /** Told which of several lines the pointer is at. */
  readonly onPoint?: (place: number | null) => void;
  /** Told of a press on the chart: the time there, in seconds. */
  readonly onPress?: (time: number) => void;
}

const NO_MARKS: readonly Mark[] = [];

/**
 * Values over time, in the colours of text: colours mean states. Dragging over a time zooms all of the page into it,
 * and the pointer's time shows on all charts of the page.
 */
export function TimeChart(props: Props) {
  const { label, times, lines, span, show, shape = "lines", top = 0, height = 120 } = props;
  const { marks = NO_MARKS, emphasised = null, onPoint, onPress } = props;
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const readout = useRef<HTMLDivElement>(null);
  const [theme] = useTheme();
  const [zone] = useZone();
  const go = useSetTimeRange();
  const amount = lines.length;
  const drawn = useMemo(
    () => (shape === "stacked" ? stacked(lines) : shape === "columns" ? columned(lines) : lines),
    [lines, shape],
  );
  const now: Drawn = {
    lines,
    span,
    show,
    top,
    emphasised,
    onPoint,
    onPress,
    marks,
    zoom: (start, end) => go(between(start, end)),
  };
  const latest = useRef(now);
  latest.current = now;

  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew for another theme, whose colours it reads
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const empty: uPlot.AlignedData = [[], ...Array.from({ length: amount }, () => [])];
    const made = new uPlot(chartOptions({ element, height, latest, readout, zone, shape }), empty, element);
    chart.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [theme, zone, height, amount, shape]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart that was made anew needs its data again
  useEffect(() => {
    chart.current?.setData([times as number[], ...drawn.map(({ values }) => values as (number | null)[])]);
  }, [times, drawn, span, marks, theme, zone, height, shape]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    if (chart.current) emphasise(chart.current, emphasised);
  }, [emphasised, theme, zone, amount, shape]);

  return (
    <div className="relative">
      <div ref={holder} role="img" aria-label={label} style={{ height }} />
      <div
        ref={readout}
        aria-hidden="true"
        className="pointer-events-none absolute top-0 right-0 max-w-full truncate rounded bg-surface/90 px-1.5 text-muted text-xs tabular-nums"
      />
    </div>
  );
}
