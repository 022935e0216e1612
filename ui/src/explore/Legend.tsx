import { lookOf } from "../components/lineLook";
import type { Line } from "./graph";

interface Props {
  readonly lines: readonly Line[];
  /** The place of the line that stands out. */
  readonly emphasised: number | null;
  /** The name of the line that stands out until it is pressed again. */
  readonly pinned: string | null;
  readonly onPoint: (place: number | null) => void;
  readonly onPin: (name: string | null) => void;
}

/** Which line is which series, and its last value. Pressing one lets the others step back. */
export function Legend({ lines, emphasised, pinned, onPoint, onPin }: Props) {
  return (
    <ul aria-label="Series" className="grid max-h-72 grid-cols-1 overflow-y-auto">
      {lines.map(({ name, last }, place) => (
        <li key={name}>
          <button
            type="button"
            aria-pressed={name === pinned}
            onClick={() => onPin(name === pinned ? null : name)}
            onMouseEnter={() => onPoint(place)}
            onMouseLeave={() => onPoint(null)}
            onFocus={() => onPoint(place)}
            onBlur={() => onPoint(null)}
            className={`flex w-full items-baseline gap-3 rounded px-2 py-1 text-left ${place === emphasised ? "bg-raised" : ""}`}
          >
            <Swatch place={place} />
            <span className="min-w-0 flex-1 wrap-anywhere font-mono text-[13px]">{name}</span>
            <span className="tabular-nums">{last}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Swatch({ place }: { readonly place: number }) {
  const { dash, shade } = lookOf(place);
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 28 8"
      className={`h-2 w-7 shrink-0 ${shade === "ink" ? "text-ink" : "text-muted"}`}
    >
      <path d="M0 4h28" stroke="currentColor" strokeWidth="2" strokeDasharray={dash.join(" ")} />
    </svg>
  );
}
