import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useDensity } from "../../app/density";
import { useWindow } from "../../components/useWindow";
import { seconds } from "../../format/format";
import { sharesOf } from "./bars";
import { type Row, rowsOf, type Tree, ticksOf } from "./layout";
import { WaterfallRow } from "./WaterfallRow";

interface Props {
  readonly tree: Tree;
  readonly selected: string | null;
  readonly hasLogs: boolean;
  readonly onSelect: (row: Row) => void;
}

const HEIGHTS = { comfortable: 28, compact: 24 };
const TICKS = 5;
const BEYOND = 16;

/** The spans of a trace under each other, as they lie within each other, over time. Arrow keys move through them. */
export function Waterfall({ tree, selected, hasLogs, onSelect }: Props) {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => rowsOf(tree, folded, hasLogs), [tree, folded, hasLogs]);
  const [density] = useDensity();
  const height = HEIGHTS[density];
  const holder = useRef<HTMLElement>(null);
  const { first, end, before, after } = useWindow(holder, rows.length, height, BEYOND);
  /** Scrolls no further than needed, or brings the row into the middle. */
  const show = (place: number, isMiddle = false) => {
    const element = holder.current;
    if (!element) return;
    const [start, room] = [place * height, element.clientHeight];
    if (isMiddle) element.scrollTop = start - (room - height) / 2;
    else if (start < element.scrollTop) element.scrollTop = start;
    else if (start + height > element.scrollTop + room) element.scrollTop = start + height - room;
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, for the span that the address names
  useEffect(() => {
    const place = rows.findIndex(({ key }) => key === selected);
    if (place > 0) show(place, true);
  }, []);
  const fold = useCallback((key: string, isFolded?: boolean) => {
    setFolded((now) => {
      const next = new Set(now);
      if (isFolded ?? !now.has(key)) next.add(key);
      else next.delete(key);
      return next;
    });
  }, []);
  const focus = (place: number) => {
    const row = rows[place];
    if (!row) return;
    const take = () => {
      const button = holder.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(row.key)}"]`);
      button?.focus();
      return button != null;
    };
    // A row out of sight only comes into the page when it is scrolled to.
    if (take()) return;
    show(place);
    requestAnimationFrame(() => requestAnimationFrame(take));
  };
  const press = (event: KeyboardEvent) => {
    const key = event.target instanceof HTMLElement ? event.target.dataset.row : undefined;
    const place = rows.findIndex((row) => row.key === key);
    const row = rows[place];
    if (!row) return;
    if (event.key === "ArrowDown") focus(place + 1);
    else if (event.key === "ArrowUp") focus(place - 1);
    else if (event.key === "ArrowLeft" && row.kind === "span") fold(row.key, true);
    else if (event.key === "ArrowRight" && row.kind === "span") fold(row.key, false);
    else return;
    event.preventDefault();
  };
  return (
    <div className="min-w-0">
      <Axis duration={tree.duration} />
      <section
        ref={holder}
        aria-label="Spans"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        onKeyDown={press}
        className="max-h-[68vh] overflow-y-auto overflow-x-hidden"
      >
        <ol style={{ paddingTop: before, paddingBottom: after }}>
          {rows.slice(first, end).map((row) => (
            <li key={row.key} style={{ height }}>
              <WaterfallRow
                row={row}
                duration={tree.duration}
                isSelected={row.key === selected}
                isFolded={folded.has(row.key)}
                onSelect={() => onSelect(row)}
                onFold={() => fold(row.key)}
              />
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

/** Without one whose label would not fit. */
function shownTicks(duration: number): readonly number[] {
  return ticksOf(duration, TICKS).filter((tick) => tick === 0 || tick <= duration * 0.88);
}

function Axis({ duration }: { readonly duration: number }) {
  return (
    <div
      aria-hidden="true"
      className="grid h-7 grid-cols-[minmax(0,2fr)_minmax(0,3fr)] max-sm:grid-cols-[minmax(0,3fr)_minmax(0,2fr)] items-center border-line border-b text-muted text-xs"
    >
      <span className="px-3">Span</span>
      <div className="relative mx-2 h-4 overflow-hidden">
        {shownTicks(duration).map((tick) => (
          <span
            key={tick}
            className="absolute border-line-strong border-l pl-1 tabular-nums"
            style={{ left: sharesOf({ start: tick, end: tick }, duration).left }}
          >
            {seconds(tick)}
          </span>
        ))}
      </div>
    </div>
  );
}
