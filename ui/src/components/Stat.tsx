import type { ReactNode } from "react";

interface Props {
  readonly term: string;
  readonly value: ReactNode;
  /** A few words more, in small. */
  readonly more?: ReactNode;
}

/** A number that stands for itself, in a list of them (`dl`). */
export function Stat({ term, value, more }: Props) {
  return (
    <div className="min-w-0">
      <dt className="truncate text-muted text-xs">{term}</dt>
      <dd className="font-semibold text-lg tabular-nums tracking-tight">{value}</dd>
      {more !== undefined && <dd className="truncate text-muted text-xs">{more}</dd>}
    </div>
  );
}

/** Several of them, side by side as far as there is room. */
export function Stats({ children }: { readonly children: ReactNode }) {
  return (
    <dl className="grid grid-cols-[repeat(auto-fit,minmax(120px,1fr))] gap-x-5 gap-y-3 rounded-xl border border-line bg-surface px-4 py-3 shadow-panel">
      {children}
    </dl>
  );
}
