// How a chart over time looks and behaves, in the words of uPlot.

import uPlot from "uplot";
import { moment } from "../../format/time";
import type { Zone } from "../../time/zone";
import type { Tone } from "../tone";
import { lookOf } from "./lineLook";
import { drawMarks, type Mark, markAt, pressAt, TONE_COLOURS } from "./marks";
import type { Shape } from "./shape";

/** A line, and what it is called where there are several. */
export interface ChartLine {
  readonly name?: string;
  readonly values: readonly (number | null)[];
  /** The state that it tells of, where it tells of one; of columns alone. */
  readonly tone?: Tone;
}

/** What may change while a chart stands. */
export interface Drawn {
  readonly lines: readonly ChartLine[];
  readonly span: readonly [number, number];
  readonly show: (value: number) => string;
  readonly top: number;
  readonly marks: readonly Mark[];
  readonly emphasised: number | null;
  readonly onPoint: ((place: number | null) => void) | undefined;
  readonly onPress: ((time: number) => void) | undefined;
  readonly zoom: (start: number, end: number) => void;
}

export interface Reference<T> {
  readonly current: T;
}

/** What a chart is made for; it is made anew for anything else. */
interface Made {
  readonly element: HTMLElement;
  readonly height: number;
  readonly latest: Reference<Drawn>;
  /** Where what the pointer is at is told. */
  readonly readout: Reference<HTMLElement | null>;
  readonly zone: Zone;
  readonly shape: Shape;
}

/** How near the pointer has to come to a line, in pixels. */
const NEAR = 24;
/** How far it has to be dragged to zoom, in pixels. */
export const DRAGGED = 6;
/** All charts of a page show the time of the pointer. */
export const PAGE = "page";

/** The options of a chart of so many lines. */
export function chartOptions({ element, height, latest, readout, zone, shape }: Made): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = `11px ${style.fontFamily}`;
  const axis = {
    stroke: colour("--muted"),
    font,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const { lines } = latest.current;
  const amount = lines.length;
  const isAlone = amount === 1;
  // A chart without a pointer says so at each change of its data; what stands out by other means is to stay so.
  let pointed: number | null | undefined;
  return {
    width: element.clientWidth,
    height,
    // Room for half of the last label.
    padding: [8, 18, 0, 0],
    focus: { alpha: 0.2 },
    ...(zone === "utc" ? { tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "UTC") } : {}),
    cursor: {
      y: false,
      points: { size: 7, fill: colour("--ink"), one: true },
      drag: { x: true, y: false, dist: DRAGGED, setScale: false },
      focus: { prox: isAlone || shape === "stacked" || shape === "columns" ? -1 : NEAR },
      sync: { key: PAGE, setSeries: false, scales: ["x", null] },
    },
    legend: { show: false },
    scales: {
      x: { time: true, range: () => [...latest.current.span] },
      y: { range: (_chart, low, high) => heights(low, high, latest.current.top) },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 24, values: timeLabels(zone) },
      {
        ...axis,
        size: 56,
        gap: 6,
        space: 36,
        values: (_chart, marks) => marks.map((mark) => latest.current.show(mark)),
      },
    ],
    series: [{}, ...Array.from({ length: amount }, (_, place) => lineOptions(place, lines, shape, colour))],
    ...(shape === "stacked" ? { bands: bandsOf(amount) } : {}),
    hooks: {
      draw: [(chart) => drawMarks(chart, latest.current.marks, colour, font)],
      ready: [
        (chart) => {
          chart.over.addEventListener("click", () => {
            const { left = -1, top = -1 } = chart.cursor;
            if (left < 0 || chart.select.width >= DRAGGED) return;
            const press = pressAt(chart, latest.current.marks, left, top);
            if (press) press();
            else latest.current.onPress?.(chart.posToVal(left, "x"));
          });
        },
      ],
      setSelect: [(chart) => zoomed(chart, latest.current.zoom)],
      setCursor: [
        (chart) => {
          if (!readout.current) return;
          const { lines, emphasised, show, marks } = latest.current;
          const { left = -1, top = -1 } = chart.cursor;
          const mark = left < 0 ? undefined : markAt(chart, marks, left, top);
          chart.over.style.cursor = mark?.kind === "example" && mark.onPress ? "pointer" : "";
          const line = isAlone ? 0 : (pointed ?? emphasised);
          readout.current.textContent =
            mark?.name ??
            (shape === "columns"
              ? columnAt(chart, lines, show, zone)
              : line === null
                ? timeAt(chart, zone)
                : atPointer(chart, line, lines, show, zone));
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

/** Zooms into what was dragged over, unless that was hardly anything. */
export function zoomed(chart: uPlot, zoom: Drawn["zoom"]): void {
  const { left, width } = chart.select;
  if (width < DRAGGED) return;
  const [start, end] = [chart.posToVal(left, "x"), chart.posToVal(left + width, "x")];
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  zoom(start, end);
}

/** Lets the other lines step back; all stand out alike when it is null. */
export function emphasise(chart: uPlot, place: number | null): void {
  chart.setSeries(place === null ? null : place + 1, { focus: true }, false);
}

const bars = uPlot.paths.bars?.({ size: [0.9, 64], align: 1 });

function lineOptions(
  place: number,
  lines: readonly ChartLine[],
  shape: Shape,
  colour: (name: string) => string,
): uPlot.Series {
  const amount = lines.length;
  const { dash, shade } = lookOf(place);
  const stroke = colour(`--${shade}`);
  const points = { show: false, size: 4, fill: stroke, filter: lonePoints };
  switch (shape) {
    case "bars":
      return {
        stroke: colour("--muted"),
        fill: colour("--line-strong"),
        width: 0,
        ...(bars ? { paths: bars } : {}),
        points: { show: false },
      };
    case "columns":
      return {
        stroke: "transparent",
        fill: colour(TONE_COLOURS[lines[place]?.tone ?? "idle"]),
        width: 0,
        ...(bars ? { paths: bars } : {}),
        points: { show: false },
      };
    case "stacked": {
      // The first is the darkest; shades of one colour tell of no state.
      const share = Math.round(65 - (50 * place) / Math.max(1, amount - 1));
      return {
        stroke,
        fill: `color-mix(in srgb, ${colour("--ink")} ${share}%, ${colour("--surface")})`,
        width: 1,
        points: { show: false },
      };
    }
    case "lines":
    case "area":
      return {
        stroke,
        width: 1.5,
        ...(amount === 1 || shape === "area" ? { fill: colour("--raised") } : {}),
        ...(dash.length > 0 ? { dash: [...dash] } : {}),
        points,
        spanGaps: false,
      };
  }
}

/** Each line of a stack is filled down to the one below it. */
function bandsOf(amount: number): uPlot.Band[] {
  return Array.from({ length: Math.max(0, amount - 1) }, (_, place) => ({
    series: [place + 2, place + 1] as [number, number],
  }));
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

function atPointer(
  chart: uPlot,
  line: number,
  lines: Drawn["lines"],
  show: Drawn["show"],
  zone: Zone,
): string {
  const place = chart.cursor.idx;
  if (place == null) return "";
  const time = chart.data[0][place];
  // Of a stack the line's own value, and not the height that it reaches.
  const value = lines[line]?.values[place];
  if (time === undefined || value == null) return "";
  const name = lines[line]?.name;
  return `${name === undefined ? "" : `${name}: `}${show(value)} at ${moment(time * 1000, zone)}`;
}

/** What a column is made of. */
function columnAt(chart: uPlot, lines: Drawn["lines"], show: Drawn["show"], zone: Zone): string {
  const place = chart.cursor.idx;
  if (place == null) return "";
  const parts = lines.flatMap(({ name, values }) => {
    const value = values[place];
    return value ? [`${show(value)} ${name ?? ""}`] : [];
  });
  return `${parts.length > 0 ? parts.join(", ") : "nothing"} at ${timeAt(chart, zone)}`;
}

/** The time of the pointer, which may be at another chart. */
function timeAt(chart: uPlot, zone: Zone): string {
  const time = chart.cursor.idx == null ? undefined : chart.data[0][chart.cursor.idx];
  return time === undefined ? "" : moment(time * 1000, zone);
}

const DAY = 86_400;
const MINUTE = 60;

/** Times as they stand below a chart, as far as they differ. */
export function timeLabels(zone: Zone): uPlot.Axis.DynamicValues {
  return (_chart, marks, _axis, _space, step) =>
    marks.map((mark) => {
      if (step < MINUTE) return moment(mark * 1000, zone, "second").split(", ")[1] ?? "";
      return moment(mark * 1000, zone, step >= DAY ? "day" : "clock");
    });
}
