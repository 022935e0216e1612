import type { CSSProperties } from "react";
import { Dot } from "../../components/Dot";
import { seconds } from "../../format/format";
import { levelTone } from "../../logs/levels";
import { barLook, sharesOf } from "./bars";
import type { LogNode, Row, SpanNode } from "./layout";

interface Props {
  readonly row: Row;
  readonly duration: number;
  readonly isSelected: boolean;
  readonly isFolded: boolean;
  readonly onSelect: () => void;
  readonly onFold: () => void;
}

/** How many times a part stands to the right of its whole at the most. */
const DEEPEST = 16;
const INDENT = "pl-[calc(6px+var(--depth)*14px)] max-sm:pl-[calc(2px+var(--depth)*5px)]";

function depthStyle(depth: number): CSSProperties {
  return { "--depth": Math.min(depth, DEEPEST) } as CSSProperties;
}

/** A span, or a line of a log, of a trace. */
export function WaterfallRow(props: Props) {
  const { row, duration } = props;
  const { isSelected } = props;
  return (
    <div
      className={`grid h-full grid-cols-[minmax(0,2fr)_minmax(0,3fr)] max-sm:grid-cols-[minmax(0,3fr)_minmax(0,2fr)] items-stretch hover:bg-raised ${isSelected ? "bg-raised" : ""}`}
    >
      {row.kind === "log" ? (
        <LogName row={row} onSelect={props.onSelect} />
      ) : (
        <SpanName {...props} row={row} />
      )}
      <div className="relative mx-2 overflow-hidden" aria-hidden="true">
        {row.kind === "log" ? (
          <span
            className="absolute inset-y-1.5 w-px bg-muted"
            style={{ left: sharesOf(row, duration).left }}
          />
        ) : (
          <Bar node={row} duration={duration} />
        )}
      </div>
    </div>
  );
}

function SpanName({ row, isSelected, isFolded, onSelect, onFold }: Props & { readonly row: SpanNode }) {
  const { span, children } = row;
  const isError = span.status === "error";
  return (
    <div className={`flex min-w-0 items-center gap-0.5 ${INDENT}`} style={depthStyle(row.depth)}>
      {children.length > 0 || row.logs.length > 0 ? (
        <button
          type="button"
          tabIndex={-1}
          aria-label={isFolded ? "Unfold" : "Fold"}
          onClick={onFold}
          className="grid size-6 shrink-0 place-items-center rounded text-muted text-xs hover:bg-line"
        >
          {isFolded ? "▸" : "▾"}
        </button>
      ) : (
        <span className="size-6 shrink-0" />
      )}
      <button
        type="button"
        data-row={row.key}
        aria-pressed={isSelected}
        aria-expanded={children.length > 0 ? !isFolded : undefined}
        onClick={onSelect}
        className="flex h-full min-h-6 min-w-0 flex-1 items-center gap-1.5 text-left text-[13px] outline-offset-[-2px] aria-pressed:font-medium"
      >
        {isError && <Dot tone="bad" />}
        {isError && <span className="sr-only">Failed: </span>}
        <span className="min-w-0 truncate">
          <span className="text-muted max-sm:sr-only">{span.origin.service ?? "–"}</span>{" "}
          {span.name || "(no name)"}
        </span>
        <span className="ml-auto shrink-0 pl-1 text-muted text-xs tabular-nums">
          {seconds(span.duration_seconds)}
        </span>
      </button>
    </div>
  );
}

function LogName({
  row: { line, depth, key },
  onSelect,
}: {
  readonly row: LogNode;
  readonly onSelect: () => void;
}) {
  return (
    <div className={`flex min-w-0 items-center ${INDENT}`} style={depthStyle(depth)}>
      <button
        type="button"
        data-row={key}
        onClick={onSelect}
        className="ml-7 flex h-full min-h-6 min-w-0 flex-1 items-center gap-1.5 text-left font-mono text-muted text-xs outline-offset-[-2px]"
      >
        <Dot tone={levelTone(line.level)} />
        <span className="sr-only">Log, {line.level}: </span>
        <span className="min-w-0 truncate">{(line.message ?? "").slice(0, 300)}</span>
      </button>
    </div>
  );
}

/** When a span ran: light as a whole, dark where it ran by itself, with marks where it logged and where something happened. */
function Bar({ node, duration }: { readonly node: SpanNode; readonly duration: number }) {
  const look = barLook(node);
  return (
    <>
      <span
        className={`absolute inset-y-[5px] min-w-[2px] rounded-[3px] ${look.whole}`}
        style={sharesOf(node, duration)}
      />
      {node.self.map((part) => (
        <span
          key={part.start}
          className={`absolute inset-y-[5px] min-w-[2px] rounded-[3px] ${look.self}`}
          style={sharesOf(part, duration)}
        />
      ))}
      {node.logs.slice(0, 50).map((log) => (
        <span
          key={log.key}
          className={`absolute bottom-[2px] size-[5px] -translate-x-1/2 rounded-full border border-surface ${levelTone(log.line.level) === "bad" ? "bg-bad" : "bg-muted"}`}
          style={{ left: sharesOf(log, duration).left }}
        />
      ))}
    </>
  );
}
