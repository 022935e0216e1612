import { bytes } from "../../../format/format";
import type { ComponentEvent, Level, Peak } from "../memory";
import { nameOf, type Row, wholeOf } from "../rows";
import type { Scale } from "../scale";
import { COLUMNS, percent, Track } from "./Axis";

interface Props {
  readonly name: string;
  readonly lines: readonly (readonly Level[])[];
  readonly peaks: readonly Peak[];
  /** The highest of all, in bytes: the top of the picture, with some room. */
  readonly highest: number;
  readonly components: readonly ComponentEvent[];
  readonly scale: Scale;
  readonly selected: Row | undefined;
}

/** The box that is drawn in; it is stretched over the track. */
const WIDTH = 1_000;
const HEIGHT = 100;

/** Memory under the axis of the bars: what was held as a line, the most within each stage as a shade. */
export function MemoryTrack({ name, lines, peaks, highest, components, scale, selected }: Props) {
  const x = (time: number) => scale.at(time) * WIDTH;
  const y = (held: number) => (highest === 0 ? HEIGHT : HEIGHT - (held / (highest * 1.08)) * HEIGHT);
  const chosen = selected && wholeOf(selected);
  const all = lines.flat();
  const [first, last] = [all[0], all.at(-1)];
  const label =
    `${name}, at most ${bytes(highest)}` +
    (first && last ? `, ${bytes(first.bytes)} at first and ${bytes(last.bytes)} at last` : "") +
    (selected ? `; ${nameOf(selected)} is chosen` : "");
  return (
    <div className={`${COLUMNS} mt-3 border-line border-t px-1 pt-2`}>
      <span className="self-start">
        {name}
        <span className="block text-muted text-xs">line: held, shade: peak of a stage</span>
      </span>
      <Track scale={scale} className="h-24">
        <svg
          role="img"
          aria-label={label}
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          className="absolute inset-0 size-full"
        >
          {chosen && (
            <rect
              x={x(chosen.start)}
              width={Math.max(2, x(chosen.end) - x(chosen.start))}
              height={HEIGHT}
              className="fill-note-soft"
            />
          )}
          {peaks.map((peak, place) => (
            <rect
              // biome-ignore lint/suspicious/noArrayIndexKey: stages of the same name can begin at once
              key={place}
              x={x(peak.start)}
              y={y(peak.bytes)}
              width={Math.max(3, x(peak.end) - x(peak.start))}
              height={HEIGHT - y(peak.bytes)}
              className="fill-line-strong/50"
            >
              <title>
                {peak.stage}: at most {bytes(peak.bytes)}
              </title>
            </rect>
          ))}
          {lines.map((line, place) => (
            <polyline
              // biome-ignore lint/suspicious/noArrayIndexKey: a line is a process of the job, in their order
              key={place}
              points={line.map(({ time, bytes }) => `${x(time)},${y(bytes)}`).join(" ")}
              fill="none"
              className="stroke-ink"
              strokeWidth="1.500"
              strokeLinecap="round"
              vectorEffect="non-scaling-stroke"
            />
          ))}
        </svg>
        {components.map((event, place) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: events have no other name
            key={place}
            title={`${event.component} ${event.isLoad ? "loaded" : "given back"}${event.delta === null ? "" : `: ${event.delta < 0 ? "" : "+"}${bytes(event.delta)}`}`}
            style={{ left: percent(scale.at(event.time)) }}
            className={`-translate-x-1/2 absolute top-0 size-0 border-x-4 border-x-transparent ${event.isLoad ? "border-b-8 border-b-ink" : "border-t-8 border-t-ink"}`}
          />
        ))}
      </Track>
      <span className="self-start text-right tabular-nums">
        at most {bytes(highest)}
        {components.length > 0 && (
          <span className="block text-muted text-xs">triangles: a component is loaded, given back</span>
        )}
      </span>
    </div>
  );
}
