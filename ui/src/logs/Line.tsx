import { memo } from "react";
import type { LogRecord } from "../api/types";
import { Dot } from "../components/Dot";
import { TONE_TEXT } from "../components/tone";
import { moment } from "../format/time";
import type { Zone } from "../time/zone";
import { levelTone } from "./levels";

interface Props {
  readonly line: LogRecord;
  readonly zone: Zone;
  readonly isOpen: boolean;
  readonly onToggle: (line: LogRecord) => void;
  readonly isMarked?: boolean;
}

/** How much of a message stands in its line. */
const SHORT = 400;

/** A line in a single row; pressing it shows all of it. */
export const Line = memo(function Line({ line, zone, isOpen, onToggle, isMarked = false }: Props) {
  const tone = levelTone(line.level);
  const [day = "", clock = ""] = moment(Date.parse(line.time), zone, "millisecond").split(", ");
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      aria-current={isMarked || undefined}
      onClick={() => onToggle(line)}
      className={`flex h-full w-full min-w-0 items-center gap-2.5 px-3 text-left font-mono text-[12.5px] outline-offset-[-2px] hover:bg-raised ${isMarked ? "bg-note-soft" : isOpen ? "bg-raised" : ""}`}
    >
      <span className="shrink-0 text-muted tabular-nums">
        <span className="max-md:hidden">{day}, </span>
        {clock}
      </span>
      <span className={`flex w-14 shrink-0 items-center gap-1.5 max-sm:w-auto ${TONE_TEXT[tone]}`}>
        <Dot tone={tone} />
        <span className="max-sm:sr-only">{line.level ?? "–"}</span>
      </span>
      <span className="w-28 shrink-0 truncate text-muted max-sm:hidden">{line.origin.service ?? "–"}</span>
      <span className="min-w-0 truncate">{shortOf(line)}</span>
    </button>
  );
});

function shortOf({ message, conventions, event_name }: LogRecord): string {
  const text = message || conventions.exception_message || event_name || "(no message)";
  const first = text.slice(0, SHORT).trimStart();
  const end = first.indexOf("\n");
  return end < 0 ? first : `${first.slice(0, end)} …`;
}
