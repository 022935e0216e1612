import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { LogRecord } from "../api/types";
import { useDensity } from "../app/density";
import { useWindow } from "../components/useWindow";
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
  /** How much higher the lines are that are open. */
  const [open, setOpen] = useState<ReadonlyMap<Row["key"], number>>(new Map());
  const holder = useRef<HTMLElement>(null);
  const height = HEIGHTS[density];
  const opened = useMemo(
    () =>
      open.size === 0
        ? []
        : rows.flatMap(({ key }, place) => {
            const more = open.get(key);
            return more === undefined ? [] : [[place, more] as const];
          }),
    [open, rows],
  );
  const { first, end, before, after } = useWindow(holder, rows.length, height, BEYOND, opened);
  const isAtEnd = rows.length > 0 && end >= rows.length - BEYOND;
  useEffect(() => {
    if (isAtEnd) onEnd?.();
  }, [isAtEnd, onEnd]);
  const change = (key: Row["key"], more: number | null) => {
    const next = new Map(open);
    if (more === null) next.delete(key);
    else next.set(key, more);
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
      <ol style={{ paddingTop: before, paddingBottom: after }}>
        {rows.slice(first, end).map((row) => {
          const isOpen = open.has(row.key);
          return (
            <li key={row.key}>
              <div style={{ height }}>
                <Line
                  line={row.line}
                  zone={zone}
                  isOpen={isOpen}
                  onToggle={() => change(row.key, isOpen ? null : 0)}
                />
              </div>
              {isOpen && (
                <Measured onHeight={(more) => more !== open.get(row.key) && change(row.key, more)}>
                  {details(row.line)}
                </Measured>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

interface MeasuredProps {
  readonly onHeight: (height: number) => void;
  readonly children: ReactNode;
}

/** Tells how high what is in it is, whenever that changes. */
function Measured({ onHeight, children }: MeasuredProps) {
  const holder = useRef<HTMLDivElement>(null);
  const latest = useRef(onHeight);
  latest.current = onHeight;
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const observer = new ResizeObserver(() => latest.current(element.offsetHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return <div ref={holder}>{children}</div>;
}
