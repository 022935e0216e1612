// How wide an element is, for what is drawn in pixels.

import { type RefObject, useEffect, useState } from "react";

/** The width in pixels; 0 until it is known. */
export function useWidth(holder: RefObject<Element | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const { current } = holder;
    if (!current) return;
    const observer = new ResizeObserver(() => setWidth(current.clientWidth));
    observer.observe(current);
    return () => observer.disconnect();
  }, [holder]);
  return width;
}
