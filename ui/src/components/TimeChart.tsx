import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { useTheme } from "../app/theme";

interface Props {
  /** What is drawn, for those who do not see it. */
  readonly label: string;
  /** Times, in seconds since the epoch. */
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
  /** The span that is drawn, in seconds since the epoch. */
  readonly span: readonly [number, number];
  /** A value as it stands at the axis and at the pointer. */
  readonly show: (value: number) => string;
  /** The largest value that the axis always reaches to. */
  readonly top: number;
  readonly height?: number;
}

/** A line over time, in the colour of text: colours mean states. */
export function TimeChart({ label, times, values, span, show, top, height = 120 }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const readout = useRef<HTMLDivElement>(null);
  const [theme] = useTheme();
  const latest = useRef({ span, show, top });
  latest.current = { span, show, top };

  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew for another theme, whose colours it reads
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const made = new uPlot(options(element, height, latest, readout), [[], []], element);
    chart.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [theme, height]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart that was made anew needs its data again
  useEffect(() => {
    chart.current?.setData([[...times], [...values]]);
  }, [times, values, span, theme]);

  return (
    <div className="relative">
      <div ref={holder} role="img" aria-label={label} style={{ height }} />
      <div
        ref={readout}
        aria-hidden="true"
        className="pointer-events-none absolute top-0 right-0 rounded bg-surface/90 px-1.5 text-muted text-xs tabular-nums"
      />
    </div>
  );
}

type Latest = { current: Pick<Props, "span" | "show" | "top"> };

function options(
  element: HTMLElement,
  height: number,
  latest: Latest,
  readout: { current: HTMLDivElement | null },
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height,
    // Room for half of the last label.
    padding: [8, 18, 0, 0],
    cursor: { y: false, points: { size: 7, fill: colour("--ink") }, drag: { x: false, y: false } },
    legend: { show: false },
    scales: {
      x: { time: true, range: () => [...latest.current.span] },
      y: { range: (_chart, _low, high) => [0, ceiling(high, latest.current.top)] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 24, values: timeLabels },
      {
        ...axis,
        size: 48,
        gap: 6,
        space: 36,
        values: (_chart, marks) => marks.map((mark) => latest.current.show(mark)),
      },
    ],
    series: [
      {},
      {
        stroke: colour("--ink"),
        width: 1.5,
        fill: colour("--raised"),
        points: { show: false },
        spanGaps: false,
      },
    ],
    hooks: {
      setCursor: [
        (chart) => {
          if (readout.current) readout.current.textContent = atPointer(chart, latest.current.show);
        },
      ],
    },
  };
}

function ceiling(high: number | null, top: number): number {
  return high === null || high <= top ? top : high * 1.1;
}

function atPointer(chart: uPlot, show: (value: number) => string): string {
  const place = chart.cursor.idx;
  const time = place == null ? undefined : chart.data[0][place];
  const value = place == null ? undefined : chart.data[1]?.[place];
  if (time === undefined || value == null) return "";
  const at = new Date(time * 1000);
  return `${show(value)} at ${at.toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })}`;
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
const DAY: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };

function timeLabels(_chart: uPlot, marks: number[], _axis: number, _space: number, step: number): string[] {
  const format = new Intl.DateTimeFormat("en-GB", step >= 86_400 ? DAY : CLOCK);
  return marks.map((mark) => format.format(mark * 1000));
}
