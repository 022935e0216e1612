import type { ReactNode } from "react";

/** The classes of cells: of heads, and of numbers, which stand right. */
export const HEAD = "px-4 py-2 text-left font-medium text-muted text-xs whitespace-nowrap";
export const NUMBER_HEAD = "px-4 py-2 text-right font-medium text-muted text-xs whitespace-nowrap";
export const CELL = "px-4 py-2 whitespace-nowrap";
export const NUMBER = "px-4 py-2 text-right tabular-nums whitespace-nowrap";

/** A table that scrolls sideways by itself where it is wider than the page. */
export function Table({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section aria-label={label} tabIndex={0} className="overflow-x-auto pb-1">
      <table className="w-full border-collapse">{children}</table>
    </section>
  );
}
