import type { ReactNode } from "react";

/** One of the facts about something, in a list of them (`dl`): a term, and what it is. Nothing where it is not known. */
export function Fact({ term, children }: { readonly term: string; readonly children: ReactNode }) {
  if (children === null || children === undefined || children === "") return null;
  return (
    <div className="grid grid-cols-[8.5rem_minmax(0,1fr)] gap-3 border-line border-t px-4 py-1.5 first:border-t-0">
      <dt className="text-muted">{term}</dt>
      <dd className="wrap-anywhere tabular-nums">{children}</dd>
    </div>
  );
}
