import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { useTheme } from "../app/theme";
import { type ChartLine, chartOptions, type Drawn, emphasise } from "./chartOptions";

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
  /** The largest value that the axis always reaches to. */
  readonly top?: number;
  readonly height?: number;
  /** The place of the line that stands out from the others. */
  readonly emphasised?: number | null;
  /** Told which of several lines the pointer is at. */
  readonly onPoint?: (place: number | null) => void;
}

/** Lines over time, in the colours of text: colours mean states. */
export function TimeChart(props: Props) {
  const { label, times, lines, span, show, top = 0, height = 120, emphasised = null, onPoint } = props;
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const readout = useRef<HTMLDivElement>(null);
  const [theme] = useTheme();
  const amount = lines.length;
  const latest = useRef<Drawn>({ lines, span, show, top, emphasised, onPoint });
  latest.current = { lines, span, show, top, emphasised, onPoint };

  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew for another theme, whose colours it reads
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const empty: uPlot.AlignedData = [[], ...Array.from({ length: amount }, () => [])];
    const made = new uPlot(chartOptions(element, height, latest, readout), empty, element);
    chart.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [theme, height, amount]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart that was made anew needs its data again
  useEffect(() => {
    chart.current?.setData([[...times], ...lines.map(({ values }) => [...values])]);
  }, [times, lines, span, theme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    if (chart.current) emphasise(chart.current, emphasised);
  }, [emphasised, theme, amount]);

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
