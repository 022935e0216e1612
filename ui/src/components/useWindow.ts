// Which rows of a long list are in sight. All have the same height, but for a few that are open.

import { type RefObject, useEffect, useState } from "react";

export interface Sight {
  /** The first row that is drawn. */
  readonly first: number;
  /** The row behind the last that is drawn. */
  readonly end: number;
  /** The room that rows before and behind take, in pixels. */
  readonly before: number;
  readonly after: number;
}

/** Rows that are open, by their places in order, and by how much they are higher than others. */
export type Opened = readonly (readonly [place: number, more: number])[];

const NONE: Opened = [];

/** The rows in sight of what scrolls, and some beyond. */
export function useWindow(
  holder: RefObject<HTMLElement | null>,
  amount: number,
  height: number,
  beyond: number,
  opened: Opened = NONE,
): Sight {
  const [{ top, room }, see] = useState({ top: 0, room: 0 });
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const look = () => see({ top: element.scrollTop, room: element.clientHeight });
    look();
    element.addEventListener("scroll", look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      observer.disconnect();
    };
  }, [holder]);
  return sightOf({ top, room, amount, height, beyond, opened });
}

interface Seen {
  readonly top: number;
  readonly room: number;
  readonly amount: number;
  readonly height: number;
  readonly beyond: number;
  readonly opened?: Opened;
}

/** The rows that are drawn where a list is scrolled to `top`. */
export function sightOf({ top, room, amount, height, beyond, opened = NONE }: Seen): Sight {
  // A list that has become shorter is still scrolled to where it was.
  const last = Math.max(0, amount - Math.floor(room / height));
  const at = Math.min(placeAt(top, height, opened), last);
  const first = Math.max(0, at - beyond);
  const end = Math.min(amount, at + Math.ceil(room / height) + 1 + beyond);
  return {
    first,
    end,
    before: startOf(first, height, opened),
    after: startOf(amount, height, opened) - startOf(end, height, opened),
  };
}

/** Where a row begins, in pixels. */
function startOf(place: number, height: number, opened: Opened): number {
  return opened.reduce((start, [open, more]) => (open < place ? start + more : start), place * height);
}

/** The row at a height, in pixels. */
function placeAt(top: number, height: number, opened: Opened): number {
  let left = top;
  for (const [open, more] of opened) {
    const start = open * height;
    if (left < start) break;
    if (left < start + height + more) return open;
    left -= more;
  }
  return Math.floor(left / height);
}
