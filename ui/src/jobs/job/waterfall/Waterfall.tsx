import { useMemo } from "react";
import { Empty } from "../../../components/Notices";
import { Panel } from "../../../components/Panel";
import type { JobDetail } from "../../types";
import { doneBy, type Usual } from "../expected";
import { type ComponentEvent, memoryOf } from "../memory";
import type { Row } from "../rows";
import { scaleOf } from "../scale";
import { Axis } from "./Axis";
import { Bar } from "./Bar";
import { MemoryTrack } from "./MemoryTrack";

interface Props {
  readonly job: JobDetail;
  readonly rows: readonly Row[];
  readonly usual: ReadonlyMap<string, Usual>;
  readonly components: readonly ComponentEvent[];
  readonly now: number;
  readonly selected: Row | undefined;
  readonly onSelect: (id: string) => void;
}

/** Where a job's time went: attempts with what they waited, the stages of each, and memory under the same axis. */
export function Waterfall({ job, rows, usual, components, now, selected, onSelect }: Props) {
  const done = doneBy(job, usual, now);
  const scale = useMemo(() => {
    const begun = Date.parse(job.submitted_at ?? job.first_event_at);
    // What is to come has room, but not more than what has been.
    return scaleOf(rows, done === null ? null : Math.min(done, now + Math.max(1_000, now - begun)));
  }, [rows, done, now, job]);
  const memory = useMemo(() => memoryOf(job, components, now), [job, components, now]);
  const isSeen = memory.lines.length > 0 || memory.peaks.length > 0;
  return (
    <Panel
      title="Where its time went"
      aside={scale.isShortened ? "waiting is drawn shorter than it is" : undefined}
    >
      {rows.length === 0 ? (
        <Empty title="Nothing is known of when it ran">
          Events of a job that tell of its beginning, and of its stages, draw this.
        </Empty>
      ) : (
        <div className="px-4 pb-4">
          <Key />
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <section aria-label="Attempts and stages" tabIndex={0} className="max-h-[70vh] overflow-y-auto">
            <Axis scale={scale} />
            <ul className="grid grid-cols-1">
              {rows.map((row) => (
                <li key={row.id} className="grid grid-cols-1">
                  <Bar
                    row={row}
                    scale={scale}
                    usual={row.kind === "stage" ? usual.get(row.stage.stage) : undefined}
                    now={now}
                    isSelected={row.id === selected?.id}
                    onSelect={() => onSelect(row.id)}
                  />
                </li>
              ))}
            </ul>
            {isSeen && (
              <MemoryTrack
                name="Memory"
                lines={memory.lines}
                peaks={memory.peaks}
                highest={memory.highest}
                components={components}
                scale={scale}
                selected={selected}
              />
            )}
            {memory.gpu.length > 0 && (
              <MemoryTrack
                name="GPU memory"
                lines={memory.gpu}
                peaks={[]}
                highest={memory.highestGpu}
                components={[]}
                scale={scale}
                selected={selected}
              />
            )}
          </section>
        </div>
      )}
    </Panel>
  );
}

export const HATCHED =
  "bg-[repeating-linear-gradient(135deg,var(--muted)_0_1.5px,transparent_1.5px_5px)] border border-line-strong";

/** What the marks mean. Colours are those of states everywhere. */
function Key() {
  return (
    <p className="flex flex-wrap items-center gap-x-4 gap-y-1 pb-2 text-muted text-xs">
      <span className="flex items-center gap-1.5">
        <span aria-hidden="true" className={`h-3 w-6 rounded-sm ${HATCHED}`} /> waits
      </span>
      <span className="flex items-center gap-1.5">
        <span aria-hidden="true" className="h-3 w-6 rounded-sm bg-good" /> ran
      </span>
      <span className="flex items-center gap-1.5">
        <span aria-hidden="true" className="h-3.5 w-0.5 bg-ink" /> half of its like are done
      </span>
      <span className="flex items-center gap-1.5">
        <span aria-hidden="true" className="h-3.5 w-0.5 bg-warn" /> 95 % are
      </span>
      <span>Choose a row to see what belongs to it below.</span>
    </p>
  );
}
