import { useMemo, useRef } from "react";
import type { ServiceEdge, ServiceMap, ServiceNode } from "../../api/types";
import type { Tone } from "../../components/tone";
import { useWidth } from "../../components/useWidth";
import { rate, ratio, seconds } from "../../format/format";
import { BOX, type Box, type Line, layoutOf, pathThrough } from "./layout";
import { errorTone, widthOf } from "./look";

interface Props {
  readonly map: ServiceMap;
  readonly selected: string | null;
  readonly onSelect: (service: string | null) => void;
}

/** By how much the drawing is made smaller at the most. */
const SMALLEST = 0.78;

const STROKES: Record<Tone, string> = {
  bad: "stroke-bad",
  warn: "stroke-warn",
  idle: "stroke-line-strong",
  good: "stroke-good",
  note: "stroke-note",
};
const FILLS: Record<Tone, string> = {
  bad: "fill-bad",
  warn: "fill-warn",
  idle: "fill-muted",
  good: "fill-good",
  note: "fill-note",
};

/** Services, and lines from who asks to who is asked. What has nothing to do with the chosen one steps back. */
export function MapDrawing({ map, selected, onSelect }: Props) {
  const layout = useMemo(
    () =>
      layoutOf(
        map.nodes.map(({ name }) => name),
        map.edges,
      ),
    [map],
  );
  const nodes = useMemo(() => new Map(map.nodes.map((node) => [node.name, node])), [map]);
  const holder = useRef<HTMLElement>(null);
  const room = useWidth(holder);
  const busiest = map.edges.reduce((most, edge) => Math.max(most, edge.rate), 0);
  const near = useMemo(() => neighboursOf(map, selected), [map, selected]);
  // As wide as there is room, but no smaller than can be read.
  const width = Math.min(layout.width, Math.max(room, layout.width * SMALLEST));
  return (
    <section
      ref={holder}
      aria-label="Map of services"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      className="overflow-x-auto"
    >
      <svg
        width={width}
        height={layout.height * (width / Math.max(1, layout.width))}
        viewBox={`0 0 ${layout.width} ${layout.height}`}
        className="mx-auto block"
      >
        <title>Services, from those that ask to those that are asked</title>
        {layout.lines.map((line) => (
          <Connection
            key={`${line.edge.client} ${line.edge.server} ${line.edge.connection}`}
            line={line}
            width={widthOf(line.edge.rate, busiest)}
            isFaint={near !== null && line.edge.client !== selected && line.edge.server !== selected}
          />
        ))}
        {layout.boxes.map((box) => {
          const node = nodes.get(box.name);
          return (
            node && (
              <NodeBox
                key={box.name}
                box={box}
                node={node}
                isSelected={box.name === selected}
                isFaint={near !== null && !near.has(box.name)}
                onSelect={() => onSelect(box.name === selected ? null : box.name)}
              />
            )
          );
        })}
      </svg>
    </section>
  );
}

/** A service with who asks it and whom it asks; null where none is chosen. */
function neighboursOf({ edges }: ServiceMap, selected: string | null): ReadonlySet<string> | null {
  if (selected === null) return null;
  const around = edges.filter(({ client, server }) => client === selected || server === selected);
  return new Set([selected, ...around.flatMap(({ client, server }) => [client, server])]);
}

interface ConnectionProps {
  readonly line: Line<ServiceEdge>;
  readonly width: number;
  readonly isFaint: boolean;
}

function Connection({ line, width, isFaint }: ConnectionProps) {
  const { edge, points, isBack } = line;
  const tone = errorTone(edge.failed_ratio);
  const [x, y] = points.at(-1) ?? [0, 0];
  const path = pathThrough(points);
  const [dx, side] = isBack ? [6, 1] : [-6, -1];
  return (
    <g opacity={isFaint ? 0.15 : 1}>
      <title>
        {`${edge.client} to ${edge.server}: ${rate(edge.rate)}, ${ratio(edge.failed_ratio, 1)} failed, p95 ${seconds(edge.p95_seconds)}`}
      </title>
      <path
        d={path}
        fill="none"
        strokeWidth={width}
        strokeDasharray={edge.connection === "messaging_system" ? "6 4" : undefined}
        className={STROKES[tone]}
      />
      <path d={path} fill="none" strokeWidth={12} stroke="transparent" />
      <path
        d={`M${x} ${y}l${dx} ${4 * side}v${-8 * side}Z`}
        className={tone === "idle" ? "fill-line-strong" : FILLS[tone]}
      />
    </g>
  );
}

interface NodeProps {
  readonly box: Box;
  readonly node: ServiceNode;
  readonly isSelected: boolean;
  readonly isFaint: boolean;
  readonly onSelect: () => void;
}

/** The most letters of a name that fit. */
const LETTERS = 20;

function NodeBox({ box: { x, y }, node, isSelected, isFaint, onSelect }: NodeProps) {
  const tone = errorTone(node.error_ratio);
  const { name, is_database: isDatabase } = node;
  const short = name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name;
  const failed = node.error_ratio ? `${ratio(node.error_ratio, 1)} failed` : "";
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing has no buttons of its own
    <g
      role="button"
      tabIndex={0}
      aria-pressed={isSelected}
      aria-label={`${name}${isDatabase ? ", a database" : ""}: ${rate(node.rate)} ${failed}, p95 ${seconds(node.p95_seconds)}`}
      transform={`translate(${x} ${y})`}
      opacity={isFaint ? 0.3 : 1}
      onClick={onSelect}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        onSelect();
      }}
      className="cursor-pointer"
    >
      <title>{name}</title>
      <rect
        width={BOX.width}
        height={BOX.height}
        rx={isDatabase ? 20 : 8}
        strokeWidth={isSelected || tone !== "idle" ? 2 : 1}
        className={`fill-surface ${isSelected ? "stroke-ink" : STROKES[tone]}`}
      />
      <text x={12} y={22} className="fill-ink font-medium text-[13px]">
        {short}
      </text>
      <text x={12} y={42} className="fill-muted text-[11px] tabular-nums">
        {isDatabase
          ? "database"
          : node.rate == null
            ? "asked by nobody"
            : `${rate(node.rate)}  p95 ${seconds(node.p95_seconds)}`}
      </text>
      {tone !== "idle" && (
        <text
          x={BOX.width - 10}
          y={22}
          textAnchor="end"
          className={`${FILLS[tone]} text-[11px] tabular-nums`}
        >
          {ratio(node.error_ratio, 1)}
        </text>
      )}
    </g>
  );
}
