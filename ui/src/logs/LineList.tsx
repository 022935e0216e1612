import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import type { LogRecord } from "../api/types";
import { useDensity } from "../app/density";
import { useZone } from "../time/zone";
import { Line } from "./Line";

export interface Row {
  readonly key: string;
  readonly line: LogRecord;
}

interface Props {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly details: (line: LogRecord) => ReactNode;
  /** Called when the last rows come into sight. */
  readonly onEnd?: () => void;
  /** Told whether somebody reads: has scrolled down, or opened a line. */
  readonly onRead?: (isRead: boolean) => void;
  readonly className?: string;
}

const HEIGHTS = { comfortable: 28, compact: 24 };
const BEYOND = 16;

/** Lines of any number: only those in sight are in the page. It scrolls by itself. */
export function LineList(props: Props) {
  const { label, rows, details, onEnd, onRead } = props;
  const { className = "h-[65vh]" } = props;
  const [density] = useDensity();
  const [zone] = useZone();
  const [open, setOpen] = useState<ReadonlySet<Row["key"]>>(new Set());
  const holder = useRef<HTMLElement>(null);
  const height = HEIGHTS[density];
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => holder.current,
    estimateSize: () => height,
    getItemKey: useCallback((place: number) => rows[place]?.key ?? place, [rows]),
    overscan: BEYOND,
  });
  const items = virtual.getVirtualItems();
  const isAtEnd = rows.length > 0 && (items.at(-1)?.index ?? 0) >= rows.length - 1 - BEYOND;
  useEffect(() => {
    if (isAtEnd) onEnd?.();
  }, [isAtEnd, onEnd]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows have another height then
  useEffect(() => virtual.measure(), [height, virtual]);
  const toggle = ({ key }: Row, place: number) => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    // A row that is open has been measured; a closed one is as high as all.
    else virtual.resizeItem(place, height);
    setOpen(next);
    onRead?.(next.size > 0 || (holder.current?.scrollTop ?? 0) > 0);
  };
  return (
    <section
      ref={holder}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop } }) => onRead?.(scrollTop > 0 || open.size > 0)}
      className={`overflow-y-auto overflow-x-hidden [overflow-anchor:none] ${className}`}
    >
      <ol className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map(({ index, start, key }) => {
          const row = rows[index];
          if (!row) return null;
          const isOpen = open.has(row.key);
          return (
            <li
              key={key}
              data-index={index}
              ref={isOpen ? virtual.measureElement : undefined}
              className="absolute top-0 left-0 w-full"
              style={{ transform: `translateY(${start}px)` }}
            >
              <div style={{ height }}>
                <Line line={row.line} zone={zone} isOpen={isOpen} onToggle={() => toggle(row, index)} />
              </div>
              {isOpen && details(row.line)}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
