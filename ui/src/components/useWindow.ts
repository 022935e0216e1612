// Which rows of a long list are in sight, where all have the same height.

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

/** The rows in sight of what scrolls, and some beyond. */
export function useWindow(
  holder: RefObject<HTMLElement | null>,
  amount: number,
  height: number,
  beyond: number,
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
  return sightOf({ top, room, amount, height, beyond });
}

interface Seen {
  readonly top: number;
  readonly room: number;
  readonly amount: number;
  readonly height: number;
  readonly beyond: number;
}

/** The rows that are drawn where a list is scrolled to `top`. */
export function sightOf({ top, room, amount, height, beyond }: Seen): Sight {
  // A list that has become shorter is still scrolled to where it was.
  const last = Math.max(0, amount - Math.floor(room / height));
  const at = Math.min(Math.floor(top / height), last);
  const first = Math.max(0, at - beyond);
  const end = Math.min(amount, at + Math.ceil(room / height) + 1 + beyond);
  return { first, end, before: first * height, after: (amount - end) * height };
}
