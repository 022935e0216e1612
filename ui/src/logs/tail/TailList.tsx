import { type UIEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { LogRecord } from "../../api/types";
import { useDensity } from "../../app/density";
import { useZone } from "../../time/zone";
import { Line } from "../Line";
import type { Entry } from "./feed";
import { rowsInSight } from "./sight";

interface Props {
  readonly entries: readonly Entry[];
  /** Keeps the last line in sight. */
  readonly isFollowing: boolean;
  readonly opened: LogRecord | null;
  readonly onOpen: (line: LogRecord) => void;
  /** Called when somebody scrolls away from the end, and when they are there again. */
  readonly onLeave: () => void;
  readonly onReturn: () => void;
}

const HEIGHTS = { comfortable: 28, compact: 24 };
/** How near the end counts as the end, in pixels. */
const NEAR = 8;

/**
 * Lines as they come. All rows are of one height and are used again for other lines, so that a new picture of a
 * thousand lines a second is some texts that change. What is open is shown elsewhere.
 */
export function TailList({ entries, isFollowing, opened, onOpen, onLeave, onReturn }: Props) {
  const [density] = useDensity();
  const [zone] = useZone();
  const holder = useRef<HTMLElement>(null);
  const last = useRef(0);
  const [top, setTop] = useState(0);
  const [room, setRoom] = useState(600);
  const height = HEIGHTS[density];
  useEffect(() => {
    const { current } = holder;
    if (!current) return;
    const observer = new ResizeObserver(() => setRoom(current.clientHeight));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const { current } = holder;
    // More than there is scrolls to the end, and needs no measuring.
    if (isFollowing && current) current.scrollTop = entries.length * height;
  }, [entries, isFollowing, height]);
  const scrolled = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: UIEvent) => {
    const isBottom = scrollTop + clientHeight >= scrollHeight - NEAR;
    if (isBottom) onReturn();
    else if (scrollTop < last.current - 1) onLeave();
    last.current = scrollTop;
    // The end is drawn as such: where exactly it is does not matter then.
    if (!isFollowing || !isBottom) setTop(scrollTop);
  };
  const sight = rowsInSight(entries.length, isFollowing ? Number.POSITIVE_INFINITY : top, room, height);
  return (
    <section
      ref={holder}
      aria-label="Lines as they come"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      onScroll={scrolled}
      className="h-[65vh] overflow-y-auto overflow-x-hidden [overflow-anchor:none]"
    >
      <ol className="relative" style={{ height: entries.length * height }}>
        {Array.from({ length: sight.amount }, (_, slot) => {
          const place = sight.first + slot;
          const entry = entries[place];
          return (
            <li
              // biome-ignore lint/suspicious/noArrayIndexKey: rows are used again for other lines
              key={slot}
              className="absolute top-0 left-0 w-full"
              style={{ height, transform: `translateY(${place * height}px)` }}
            >
              {entry?.kind === "line" ? (
                <Line line={entry.line} zone={zone} isOpen={entry.line === opened} onToggle={onOpen} />
              ) : (
                <p className="flex h-full items-center px-3 text-warn text-xs">{entry?.text}</p>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
