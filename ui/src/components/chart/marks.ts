// What stands on a chart beside its values: thresholds, and what happened when.

import type uPlot from "uplot";
import type { Tone } from "../tone";

export type Mark =
  /** A line across, at a value. */
  | { readonly kind: "threshold"; readonly value: number; readonly tone: Tone; readonly name: string }
  /** A line upright, at a time in seconds since the epoch. */
  | { readonly kind: "event"; readonly time: number; readonly tone: Tone; readonly name: string }
  /** A time from one end to the other, in seconds since the epoch: something went on then. */
  | {
      readonly kind: "span";
      readonly start: number;
      readonly end: number;
      readonly tone: Tone;
      readonly name: string;
    }
  /** A dot, at a time and a value: an example of what was measured. */
  | {
      readonly kind: "example";
      readonly time: number;
      readonly value: number;
      readonly name: string;
      /** What a press on the dot does. */
      readonly onPress?: () => void;
    };

export const TONE_COLOURS: Record<Tone, string> = {
  good: "--good",
  warn: "--warn",
  bad: "--bad",
  note: "--note",
  idle: "--line-strong",
};

/** How much of its colour a span has: what is drawn stays in sight. */
const SPAN_ALPHA = 0.14;

/** Draws marks in the chart's own pixels. */
export function drawMarks(
  chart: uPlot,
  marks: readonly Mark[],
  colour: (name: string) => string,
  font: string,
): void {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = ratio;
  ctx.font = font;
  for (const mark of marks) {
    if (mark.kind === "example") {
      const [x, y] = [chart.valToPos(mark.time, "x", true), chart.valToPos(mark.value, "y", true)];
      ctx.fillStyle = colour("--note");
      ctx.beginPath();
      ctx.arc(x, y, 3.5 * ratio, 0, 2 * Math.PI);
      ctx.fill();
      continue;
    }
    const shade = colour(TONE_COLOURS[mark.tone]);
    ctx.strokeStyle = shade;
    ctx.fillStyle = shade;
    if (mark.kind === "span") {
      const [left, right] = [chart.valToPos(mark.start, "x", true), chart.valToPos(mark.end, "x", true)];
      ctx.globalAlpha = SPAN_ALPHA;
      // However short it was, it is to be seen.
      ctx.fillRect(left, bbox.top, Math.max(right - left, ratio), bbox.height);
      ctx.globalAlpha = 1;
      continue;
    }
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.beginPath();
    if (mark.kind === "threshold") {
      const y = chart.valToPos(mark.value, "y", true);
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.textAlign = "left";
      ctx.textBaseline = "bottom";
      ctx.fillText(mark.name, bbox.left + 4 * ratio, y - 2 * ratio);
    } else {
      const x = chart.valToPos(mark.time, "x", true);
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
    }
    ctx.stroke();
  }
  ctx.restore();
}

/** How near the pointer has to come to a mark, in pixels. */
const NEAR = 6;

/** The mark at a place of the chart, in pixels of the page; nothing when none is near. */
export function markAt(chart: uPlot, marks: readonly Mark[], left: number, top: number): Mark | undefined {
  return marks.findLast((mark) => distance(chart, mark, left, top) < NEAR);
}

/** What a press there does: the dot that is drawn last is on top. */
export function pressAt(
  chart: uPlot,
  marks: readonly Mark[],
  left: number,
  top: number,
): (() => void) | undefined {
  const mark = markAt(chart, marks, left, top);
  return mark?.kind === "example" ? mark.onPress : undefined;
}

function distance(chart: uPlot, mark: Mark, left: number, top: number): number {
  // In a span one wants to know the values.
  if (mark.kind === "span") return Number.POSITIVE_INFINITY;
  const across = () => ("time" in mark ? chart.valToPos(mark.time, "x") - left : 0);
  const upright = () => ("value" in mark ? chart.valToPos(mark.value, "y") - top : 0);
  return Math.hypot(across(), upright());
}
