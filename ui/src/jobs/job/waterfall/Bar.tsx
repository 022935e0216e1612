import { TONE_FILL, TONE_TEXT } from "../../../components/tone";
import { bytes, seconds } from "../../../format/format";
import { comparison, type Usual } from "../expected";
import { millis, nameOf, type Row, type Stretch } from "../rows";
import type { Scale } from "../scale";
import { COLUMNS, percent, Track } from "./Axis";
import { HATCHED } from "./Waterfall";

interface Props {
  readonly row: Row;
  readonly scale: Scale;
  readonly usual: Usual | undefined;
  readonly now: number;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
}

/** A row of the waterfall: an attempt, or a stage. Pressing it narrows what is below to its time. */
export function Bar({ row, scale, usual, now, isSelected, onSelect }: Props) {
  const isAttempt = row.kind === "attempt";
  return (
    <button
      type="button"
      aria-pressed={isSelected}
      onClick={onSelect}
      className={`${COLUMNS} rounded-md px-1 py-1 text-left hover:bg-raised aria-pressed:bg-note-soft ${isAttempt ? "mt-1" : ""}`}
    >
      <span className={`min-w-0 truncate ${isAttempt ? "font-medium" : "pl-3"}`} title={title(row)}>
        {nameOf(row)}
        <span className="pl-1.5 font-normal text-muted text-xs">{aside(row)}</span>
      </span>
      <Track scale={scale}>
        {isAttempt && row.queued && (
          <span className={`absolute inset-y-0.5 rounded-sm ${HATCHED}`} style={placeOf(row.queued, scale)} />
        )}
        {row.run && (
          <span
            className={`absolute rounded-sm ${isAttempt ? "inset-y-0.5" : "inset-y-1"} ${TONE_FILL[row.tone]}`}
            style={placeOf(row.run, scale)}
          />
        )}
        {row.kind === "stage" && row.run && usual && (
          <Marks start={row.run.start} usual={usual} scale={scale} now={row.stage.running ? now : null} />
        )}
      </Track>
      <Figures row={row} usual={usual} />
    </button>
  );
}

/** What is very short is seen all the same. */
function placeOf({ start, end }: Stretch, scale: Scale) {
  const [left, right] = [scale.at(start), scale.at(end)];
  return { left: `min(${percent(left)}, 100% - 3px)`, width: `max(3px, ${percent(right - left)})` };
}

interface MarksProps {
  readonly start: number;
  readonly usual: Usual;
  readonly scale: Scale;
  /** Now, of a stage that runs; null of others. */
  readonly now: number | null;
}

/** When half of its like are done, and when 95 % are; of a stage that runs, what is to come until then. */
function Marks({ start, usual, scale, now }: MarksProps) {
  const [half, most] = [start + usual.p50 * 1000, start + usual.p95 * 1000];
  return (
    <>
      {now !== null && most > now && (
        <span
          className="absolute inset-y-1 rounded-sm border border-note border-dashed"
          style={placeOf({ start: now, end: Math.min(most, scale.end) }, scale)}
        />
      )}
      {half <= scale.end && (
        <span className="absolute inset-y-0 w-0.5 bg-ink" style={{ left: percent(scale.at(half)) }} />
      )}
      {most <= scale.end && (
        <span className="absolute inset-y-0 w-0.5 bg-warn" style={{ left: percent(scale.at(most)) }} />
      )}
    </>
  );
}

function aside(row: Row): string {
  if (row.kind === "attempt") return row.worker === null ? row.state : `${row.state}, ${row.worker}`;
  const component = row.stage.component;
  const state = row.state === "completed" ? null : row.state;
  return [component, state].filter(Boolean).join(", ");
}

function title(row: Row): string {
  const error = row.error && [row.error.error_type, row.error.message].filter(Boolean).join(": ");
  return [nameOf(row), aside(row), error].filter(Boolean).join(" – ");
}

function Figures({ row, usual }: { readonly row: Row; readonly usual: Usual | undefined }) {
  if (row.kind === "attempt") {
    const waited = row.queued === null ? null : (row.queued.end - row.queued.start) / 1000;
    const ran = row.run === null ? null : (row.run.end - row.run.start) / 1000;
    return (
      <span className="text-right tabular-nums">
        {waited !== null && <span className="text-muted text-xs">waited {seconds(waited)} </span>}
        {ran !== null && seconds(ran)}
      </span>
    );
  }
  const { stage } = row;
  // A stage's own clock is more exact than the difference of two times.
  const took = stage.duration_seconds ?? (row.run ? (row.run.end - row.run.start) / 1000 : null);
  const shown =
    stage.running && millis(stage.started_at) !== null && row.run
      ? (row.run.end - row.run.start) / 1000
      : took;
  const compared = comparison({ ...stage, duration_seconds: shown }, usual);
  return (
    <span className="text-right tabular-nums">
      {compared && <span className={`text-xs ${TONE_TEXT[compared.tone]}`}>{compared.text} </span>}
      <span className={compared?.tone === "warn" ? "text-warn" : ""}>{seconds(shown)}</span>
      {stage.memory_delta_bytes != null && (
        <span className="sr-only">
          , memory {stage.memory_delta_bytes < 0 ? "" : "+"}
          {bytes(stage.memory_delta_bytes)}
        </span>
      )}
    </span>
  );
}
