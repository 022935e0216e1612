import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useDensity } from "../../app/density";
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

/** The spans of a trace under each other, as they lie within each other, over time. Arrow keys move through them. */
export function Waterfall({ tree, selected, hasLogs, onSelect }: Props) {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => rowsOf(tree, folded, hasLogs), [tree, folded, hasLogs]);
  const [density] = useDensity();
  const height = HEIGHTS[density];
  const holder = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => holder.current,
    estimateSize: () => height,
    overscan: 16,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows have another height then
  useEffect(() => virtual.measure(), [height, virtual]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, for the span that the address names
  useEffect(() => {
    const place = rows.findIndex(({ key }) => key === selected);
    if (place > 0) virtual.scrollToIndex(place, { align: "center" });
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
    virtual.scrollToIndex(place);
    // The row may only come into the page by that.
    requestAnimationFrame(() =>
      requestAnimationFrame(() =>
        holder.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(row.key)}"]`)?.focus(),
      ),
    );
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
        <ol className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index];
            if (!row) return null;
            return (
              <li
                key={row.key}
                className="absolute top-0 left-0 w-full"
                style={{ transform: `translateY(${start}px)`, height }}
              >
                <WaterfallRow
                  row={row}
                  duration={tree.duration}
                  isSelected={row.key === selected}
                  isFolded={folded.has(row.key)}
                  onSelect={() => onSelect(row)}
                  onFold={() => fold(row.key)}
                />
              </li>
            );
          })}
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
