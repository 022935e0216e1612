// How a heatmap looks and behaves, in the words of uPlot: time across, bounds upright, each cell as dark as it is full.

import uPlot from "uplot";
import { moment } from "../../format/time";
import type { Zone } from "../../time/zone";
import { type Band, bandName, darkness, mostOf } from "./buckets";
import { DRAGGED, PAGE, type Reference, timeLabels, zoomed } from "./options";

/** What may change while a heatmap stands. */
export interface DrawnHeatmap {
  readonly times: readonly number[];
  readonly bands: readonly Band[];
  readonly span: readonly [number, number];
  /** A bound, as it stands at the axis. */
  readonly showBound: (value: number) => string;
  /** How full a cell is, as it is told at the pointer. */
  readonly showValue: (value: number) => string;
  readonly zoom: (start: number, end: number) => void;
}

interface Made {
  readonly element: HTMLElement;
  readonly height: number;
  readonly latest: Reference<DrawnHeatmap>;
  readonly readout: Reference<HTMLElement | null>;
  readonly zone: Zone;
}

export function heatmapOptions({ element, height, latest, readout, zone }: Made): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = { stroke: colour("--muted"), font: `11px ${style.fontFamily}`, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height,
    padding: [8, 18, 0, 0],
    ...(zone === "utc" ? { tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "UTC") } : {}),
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, dist: DRAGGED, setScale: false },
      sync: { key: PAGE, setSeries: false, scales: ["x", null] },
    },
    legend: { show: false },
    scales: {
      x: { time: true, range: () => [...latest.current.span] },
      // Bands are equally high, whatever lies between their bounds.
      y: { range: () => [0, Math.max(1, latest.current.bands.length)] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 24, values: timeLabels(zone) },
      {
        ...axis,
        grid: { show: false },
        size: 56,
        gap: 6,
        splits: (chart) => boundPlaces(latest.current.bands.length, chart.height - 32),
        values: (_chart, places) => places.map((place) => boundAt(latest.current, place)),
      },
    ],
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks: {
      draw: [(chart) => drawCells(chart, latest.current, colour("--ink"))],
      setSelect: [(chart) => zoomed(chart, latest.current.zoom)],
      setCursor: [
        (chart) => {
          if (readout.current) readout.current.textContent = atPointer(chart, latest.current, zone);
        },
      ],
    },
  };
}

/** How much room a bound needs at the axis, in pixels. */
const ROOM = 16;

/** Which bounds stand at the axis: as many as there is room for. */
function boundPlaces(amount: number, height: number): number[] {
  const every = Math.max(1, Math.ceil((amount * ROOM) / Math.max(ROOM, height)));
  return Array.from({ length: Math.floor(amount / every) + 1 }, (_, place) => place * every);
}

function boundAt({ bands, showBound }: DrawnHeatmap, place: number): string {
  const bound = place === 0 ? bands[0]?.low : bands[place - 1]?.high;
  if (bound === undefined) return "";
  return bound === Number.POSITIVE_INFINITY ? "∞" : showBound(bound);
}

function drawCells(chart: uPlot, { times, bands }: DrawnHeatmap, ink: string): void {
  const { ctx, bbox } = chart;
  const most = mostOf(bands);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = ink;
  // A value is of the time up to it.
  const edges = times.map((time) => Math.round(chart.valToPos(time, "x", true)));
  const step = (times[1] ?? 0) - (times[0] ?? 0);
  const before = Math.round(chart.valToPos((times[0] ?? 0) - step, "x", true));
  bands.forEach(({ values }, place) => {
    const top = Math.round(chart.valToPos(place + 1, "y", true));
    const bottom = Math.round(chart.valToPos(place, "y", true));
    values.forEach((value, time) => {
      const shade = darkness(value, most);
      if (shade === 0) return;
      const left = edges[time - 1] ?? before;
      ctx.globalAlpha = shade;
      ctx.fillRect(left, top, Math.max(1, (edges[time] ?? left) - left), bottom - top - 1);
    });
  });
  ctx.restore();
}

function atPointer(chart: uPlot, drawn: DrawnHeatmap, zone: Zone): string {
  const { left = -1, top = -1 } = chart.cursor;
  if (left < 0) return "";
  const at = chart.posToVal(left, "x");
  const place = drawn.times.findIndex((time) => time >= at);
  const time = drawn.times[place];
  if (time === undefined) return moment(at * 1000, zone);
  // The pointer may be at another chart, and only its time is known here.
  const band = top < 0 ? undefined : drawn.bands[Math.floor(chart.posToVal(top, "y"))];
  const value = band?.values[place];
  if (!band || value == null) return moment(time * 1000, zone);
  return `${bandName(band, drawn.showBound)}: ${drawn.showValue(value)} at ${moment(time * 1000, zone)}`;
}
