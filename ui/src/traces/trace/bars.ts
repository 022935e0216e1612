// How bars of spans look. What the whole trace waited for stands out; colours tell of errors.

import type { SpanNode } from "./layout";

/** The classes of a span's bar, and of the parts of it in which it ran by itself. */
export function barLook({ span }: SpanNode): { readonly whole: string; readonly self: string } {
  const isCritical = span.critical_seconds > 0;
  if (span.status === "error") return { whole: "bg-bad-soft", self: isCritical ? "bg-bad" : "bg-bad/60" };
  return { whole: "bg-line", self: isCritical ? "bg-ink" : "bg-line-strong" };
}

/** A stretch of a trace as shares of its whole, in percent. */
export function sharesOf(
  { start, end }: { readonly start: number; readonly end: number },
  duration: number,
): { readonly left: string; readonly width: string } {
  if (duration <= 0) return { left: "0%", width: "100%" };
  return { left: `${(start / duration) * 100}%`, width: `${((end - start) / duration) * 100}%` };
}
