// How a chart over time looks and behaves, in the words of uPlot.

import type uPlot from "uplot";
import { lookOf } from "./lineLook";

/** A line, and what it is called where there are several. */
export interface ChartLine {
  readonly name?: string;
  readonly values: readonly (number | null)[];
}

/** What may change while a chart stands. */
export interface Drawn {
  readonly lines: readonly ChartLine[];
  readonly span: readonly [number, number];
  readonly show: (value: number) => string;
  readonly top: number;
  readonly emphasised: number | null;
  readonly onPoint: ((place: number | null) => void) | undefined;
}

interface Reference<T> {
  readonly current: T;
}

/** How near the pointer has to come to a line, in pixels. */
const NEAR = 24;

/** The options of a chart of so many lines. */
export function chartOptions(
  element: HTMLElement,
  height: number,
  latest: Reference<Drawn>,
  readout: Reference<HTMLElement | null>,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const amount = latest.current.lines.length;
  const isAlone = amount === 1;
  // A chart without a pointer says so at each change of its data; what stands out by other means is to stay so.
  let pointed: number | null | undefined;
  return {
    width: element.clientWidth,
    height,
    // Room for half of the last label.
    padding: [8, 18, 0, 0],
    focus: { alpha: 0.2 },
    cursor: {
      y: false,
      points: { size: 7, fill: colour("--ink"), one: true },
      drag: { x: false, y: false },
      focus: { prox: isAlone ? -1 : NEAR },
    },
    legend: { show: false },
    scales: {
      x: { time: true, range: () => [...latest.current.span] },
      y: { range: (_chart, low, high) => heights(low, high, latest.current.top) },
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
    series: [{}, ...Array.from({ length: amount }, (_, place) => lineOptions(place, isAlone, colour))],
    hooks: {
      setCursor: [
        (chart) => {
          const { lines, emphasised, show } = latest.current;
          const line = isAlone ? 0 : (pointed ?? emphasised);
          if (readout.current)
            readout.current.textContent =
              line === null ? "" : atPointer(chart, line, lines[line]?.name, show);
        },
      ],
      setSeries: [
        (chart, index) => {
          // Away from all lines, the one that is emphasised anyway is so again.
          if (index === null) emphasise(chart, latest.current.emphasised);
          const place = index === null ? null : index - 1;
          if (place === pointed) return;
          pointed = place;
          latest.current.onPoint?.(place);
        },
      ],
    },
  };
}

/** Lets the other lines step back; all stand out alike when it is null. */
export function emphasise(chart: uPlot, place: number | null): void {
  chart.setSeries(place === null ? null : place + 1, { focus: true }, false);
}

function lineOptions(place: number, isAlone: boolean, colour: (name: string) => string): uPlot.Series {
  const { dash, shade } = lookOf(place);
  return {
    stroke: colour(`--${shade}`),
    width: 1.5,
    ...(isAlone ? { fill: colour("--raised") } : {}),
    ...(dash.length > 0 ? { dash: [...dash] } : {}),
    points: { show: false, size: 4, fill: colour(`--${shade}`), filter: lonePoints },
    spanGaps: false,
  };
}

/** Values with none beside them: no line leads through them, so they are drawn as points. */
function lonePoints(chart: uPlot, index: number): number[] {
  const values = chart.data[index] ?? [];
  return Array.from(values.keys()).filter(
    (place) => values[place] != null && values[place - 1] == null && values[place + 1] == null,
  );
}

/** From zero, or below it, to the highest value with some room; at least to `top`. */
function heights(low: number | null, high: number | null, top: number): [number, number] {
  const bottom = low === null || low >= 0 ? 0 : low * 1.1;
  const ceiling = high === null || high <= top ? top : high * 1.1;
  return [bottom, bottom === 0 && ceiling === 0 ? 1 : ceiling];
}

function atPointer(chart: uPlot, line: number, name: string | undefined, show: Drawn["show"]): string {
  const place = chart.cursor.idx;
  if (place == null) return "";
  const time = chart.data[0][place];
  const value = chart.data[line + 1]?.[place];
  if (time === undefined || value == null) return "";
  const at = new Date(time * 1000);
  return `${name === undefined ? "" : `${name}: `}${show(value)} at ${at.toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })}`;
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
const DAY: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };

function timeLabels(_chart: uPlot, marks: number[], _axis: number, _space: number, step: number): string[] {
  const format = new Intl.DateTimeFormat("en-GB", step >= 86_400 ? DAY : CLOCK);
  return marks.map((mark) => format.format(mark * 1000));
}
