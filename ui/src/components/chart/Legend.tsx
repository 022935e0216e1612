import { figuresOf } from "./figures";
import { lookOf } from "./lineLook";
import type { ChartLine } from "./options";

interface NamedLine extends ChartLine {
  readonly name: string;
}

interface Props {
  readonly lines: readonly NamedLine[];
  readonly show: (value: number) => string;
  /** The place of the line that stands out. */
  readonly emphasised: number | null;
  /** The name of the line that stands out until it is pressed again. */
  readonly pinned: string | null;
  readonly onPoint: (place: number | null) => void;
  readonly onPin: (name: string | null) => void;
}

const NUMBER = "px-2 text-right tabular-nums whitespace-nowrap";

/** Which line is which, and its figures over the time that is shown. Pressing one lets the others step back. */
export function Legend({ lines, show, emphasised, pinned, onPoint, onPin }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section aria-label="Legend" tabIndex={0} className="max-h-72 overflow-auto">
      <table aria-label="Series" className="w-full border-collapse">
        <thead>
          <tr className="text-muted text-xs">
            <th className="py-1 text-left font-medium">Series</th>
            {["Min", "Average", "Max", "Last"].map((name) => (
              <th key={name} className="px-2 py-1 text-right font-medium">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ name, values }, place) => {
            const { min, average, max, last } = figuresOf(values);
            return (
              <tr key={name} className={place === emphasised ? "bg-raised" : ""}>
                <td className="w-full min-w-32">
                  <button
                    type="button"
                    aria-pressed={name === pinned}
                    onClick={() => onPin(name === pinned ? null : name)}
                    onMouseEnter={() => onPoint(place)}
                    onMouseLeave={() => onPoint(null)}
                    onFocus={() => onPoint(place)}
                    onBlur={() => onPoint(null)}
                    className="flex w-full min-w-32 items-center gap-3 min-h-[24px] rounded py-0.5 text-left"
                  >
                    <Swatch place={place} />
                    <span className="min-w-0 wrap-anywhere font-mono text-[13px]">{name}</span>
                  </button>
                </td>
                {[min, average, max, last].map((value, column) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the columns are fixed
                  <td key={column} className={NUMBER}>
                    {value === null ? "–" : show(value)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
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
