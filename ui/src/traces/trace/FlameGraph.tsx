import { useMemo } from "react";
import { seconds } from "../../format/format";
import { type Frame, framesOf } from "./flame";
import type { Tree } from "./layout";

interface Props {
  readonly tree: Tree;
  /** The span whose frame is as wide as the graph. */
  readonly shown: string | null;
  readonly selected: string | null;
  readonly onShow: (span: string | null) => void;
}

const HEIGHT = 26;

/** What of a trace took the time in sum: spans that do the same are one frame. Pressing one shows it as a whole. */
export function FlameGraph({ tree, shown, selected, onShow }: Props) {
  const frames = useMemo(() => framesOf(tree.roots, shown), [tree, shown]);
  const rows = frames.reduce((most, { depth }) => Math.max(most, depth + 1), 1);
  return (
    <div className="grid gap-2 px-3 py-3">
      <p className="text-muted text-xs">
        Each frame is as wide as its spans and their parts ran by themselves, in sum: what runs side by side
        adds up. Spans that do the same are one.{" "}
        {shown !== null && (
          <button type="button" onClick={() => onShow(null)} className="min-h-6 text-ink underline">
            Show the whole trace
          </button>
        )}
      </p>
      <section
        aria-label="Flame graph"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        className="max-h-[65vh] overflow-y-auto"
      >
        <ul className="relative" style={{ height: rows * HEIGHT }}>
          {frames.map((frame) => (
            <li
              key={frame.key}
              className="absolute p-px"
              style={{
                left: `${frame.left * 100}%`,
                width: `${frame.width * 100}%`,
                top: frame.depth * HEIGHT,
                height: HEIGHT,
              }}
            >
              <button
                type="button"
                title={describe(frame)}
                aria-label={describe(frame)}
                aria-pressed={frame.span === selected}
                onClick={() => onShow(frame.span)}
                className={`block h-full w-full overflow-hidden truncate rounded-[3px] px-1.5 text-left text-xs outline-offset-[-2px] aria-pressed:ring-2 aria-pressed:ring-ink aria-pressed:ring-inset ${lookOf(frame)}`}
              >
                {frame.name} <span className="opacity-80">{seconds(frame.total)}</span>
              </button>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

/** Colours tell of errors alone; the more a frame ran by itself, the darker it is. */
function lookOf({ errors, self, total, isAbove }: Frame): string {
  if (errors > 0) return "bg-bad-soft text-bad";
  if (isAbove) return "bg-raised text-muted";
  return self > total / 2 ? "bg-line-strong text-ink" : "bg-line text-ink";
}

function describe({ name, service, amount, errors, total, self }: Frame): string {
  const failed = errors > 0 ? `, ${errors} failed` : "";
  return `${service ?? "–"} ${name}: ${amount} ${amount === 1 ? "span" : "spans"}${failed}, ${seconds(total)} in all, ${seconds(self)} by itself`;
}
