import { useNavigate } from "@tanstack/react-router";
import { type PointerEvent, useMemo, useRef, useState } from "react";
import type { TraceSummary } from "../api/types";
import { useWidth } from "../components/useWidth";
import { seconds } from "../format/format";
import { moment } from "../format/time";
import type { Span } from "../time/range";
import { useZone } from "../time/zone";
import { areaOf, placeIn, powersOf, valueAt } from "./scale";

interface Props {
  readonly traces: readonly TraceSummary[];
  readonly span: Span;
  /** Told of a part that somebody draws a frame around: its times and its durations. */
  readonly onZoom: (times: readonly [number, number], durations: readonly [number, number]) => void;
}

const HEIGHT = 180;
const [LEFT, RIGHT, TOP, BOTTOM] = [58, 12, 8, 22];
/** How near the pointer has to come to a trace, and how far it has to be dragged, in pixels. */
const [NEAR, DRAGGED] = [14, 6];

type Point = readonly [number, number];

/** Traces as points: when they began, and how long they took. A press opens one, dragging zooms into a part. */
export function Scatter({ traces, span, onZoom }: Props) {
  const holder = useRef<SVGSVGElement>(null);
  const width = useWidth(holder);
  const navigate = useNavigate();
  const [zone] = useZone();
  const [pointer, setPointer] = useState<Point | null>(null);
  const [begun, begin] = useState<Point | null>(null);
  const area = useMemo(() => areaOf(traces, span.start, span.end), [traces, span.start, span.end]);
  const [across, down] = [Math.max(1, width - LEFT - RIGHT), HEIGHT - TOP - BOTTOM];
  const points = useMemo(
    () =>
      traces.map((trace) => {
        const [x, y] = placeIn(area, Date.parse(trace.start) / 1000, trace.duration_seconds);
        return { trace, x: LEFT + x * across, y: TOP + y * down };
      }),
    [traces, area, across, down],
  );
  const near = pointer && begun === null ? nearest(points, pointer) : null;
  const isDragged = begun && pointer && Math.hypot(pointer[0] - begun[0], pointer[1] - begun[1]) > DRAGGED;
  const at = (event: PointerEvent): Point => {
    const box = event.currentTarget.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const release = (event: PointerEvent) => {
    const end = at(event);
    const start = begun;
    begin(null);
    if (start && isDragged) {
      const value = ([x, y]: Point) => valueAt(area, clamped((x - LEFT) / across), clamped((y - TOP) / down));
      const [[time, duration], [otherTime, otherDuration]] = [value(start), value(end)];
      onZoom(sorted(time, otherTime), sorted(duration, otherDuration));
      return;
    }
    const trace = nearest(points, end)?.trace;
    if (trace) void navigate({ to: "/traces/$id", params: { id: trace.trace_id } });
  };
  const ticks = Array.from(
    { length: Math.max(2, Math.floor(across / 140)) + 1 },
    (_, place, all = Math.max(2, Math.floor(across / 140))) => place / all,
  );
  return (
    <div className="relative">
      <svg
        ref={holder}
        role="img"
        aria-label={`Durations of ${traces.length} traces over time`}
        className={`block h-[180px] w-full touch-pan-y select-none ${near ? "cursor-pointer" : "cursor-crosshair"}`}
        onPointerMove={(event) => setPointer(at(event))}
        onPointerLeave={() => {
          setPointer(null);
          begin(null);
        }}
        onPointerDown={(event) => begin(at(event))}
        onPointerUp={release}
      >
        {powersOf(area).map((power) => {
          const y = TOP + placeIn(area, 0, power)[1] * down;
          return (
            <g key={power}>
              <line x1={LEFT} x2={width - RIGHT} y1={y} y2={y} className="stroke-line" />
              <text x={LEFT - 8} y={y + 4} textAnchor="end" className="fill-muted text-[11px]">
                {seconds(power)}
              </text>
            </g>
          );
        })}
        {width > 0 &&
          ticks.map((share) => (
            <text
              key={share}
              x={LEFT + share * across}
              y={HEIGHT - 5}
              textAnchor={share === 0 ? "start" : share === 1 ? "end" : "middle"}
              className="fill-muted text-[11px]"
            >
              {moment(
                (span.start + share * (span.end - span.start)) * 1000,
                zone,
                span.end - span.start > 86_400 ? "minute" : "clock",
              )}
            </text>
          ))}
        {points.map(({ trace, x, y }) => (
          <circle
            key={trace.trace_id}
            cx={x}
            cy={y}
            r={trace === near?.trace ? 6 : 3.5}
            className={trace.errors > 0 ? "fill-bad" : "fill-muted"}
            fillOpacity={trace.errors > 0 ? 0.9 : 0.55}
          />
        ))}
        {isDragged && (
          <rect
            x={Math.min(begun[0], pointer[0])}
            y={Math.min(begun[1], pointer[1])}
            width={Math.abs(begun[0] - pointer[0])}
            height={Math.abs(begun[1] - pointer[1])}
            className="fill-ink/10 stroke-ink/40"
          />
        )}
      </svg>
      <p
        aria-hidden="true"
        className="pointer-events-none absolute top-0 right-0 max-w-full truncate rounded bg-surface/90 px-1.5 text-muted text-xs tabular-nums"
      >
        {near &&
          `${near.trace.service ?? "–"}: ${near.trace.name}, ${seconds(near.trace.duration_seconds)} at ${moment(Date.parse(near.trace.start), zone)}`}
      </p>
    </div>
  );
}

interface Spot {
  readonly trace: TraceSummary;
  readonly x: number;
  readonly y: number;
}

function nearest(spots: readonly Spot[], [x, y]: Point): Spot | null {
  let found: Spot | null = null;
  let best = NEAR;
  for (const spot of spots) {
    const distance = Math.hypot(spot.x - x, spot.y - y);
    if (distance < best) [found, best] = [spot, distance];
  }
  return found;
}

function clamped(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function sorted(a: number, b: number): readonly [number, number] {
  return a < b ? [a, b] : [b, a];
}
