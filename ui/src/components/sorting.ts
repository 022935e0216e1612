// Columns of a table, and its rows in their order.

import type { ReactNode } from "react";

export interface Column<T> {
  /** What the address calls it when the table is sorted by it. */
  readonly id: string;
  readonly head: ReactNode;
  readonly cell: (row: T) => ReactNode;
  /** Numbers stand right. */
  readonly isNumber?: boolean;
  /** What rows are sorted by; the column cannot be sorted by when it is left out. Nothing known comes last. */
  readonly sort?: (row: T) => number | string | null | undefined;
  /** More classes of its cells: `max-w-72 truncate`. */
  readonly className?: string;
}

/** A column, and whether from its largest to its smallest. */
export interface Sorting {
  readonly column: string;
  readonly isDown: boolean;
}

/** The rows by a column; as they came where it is null, or a column that there is not. */
export function sortedBy<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  sorting: Sorting | null,
): readonly T[] {
  const sort = columns.find(({ id }) => id === sorting?.column)?.sort;
  if (!sort || !sorting) return rows;
  const keyed = rows.map((row) => ({ row, key: sort(row) ?? null }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null);
    const order =
      typeof a.key === "number" && typeof b.key === "number"
        ? a.key - b.key
        : String(a.key).localeCompare(String(b.key));
    return sorting.isDown ? -order : order;
  });
  return keyed.map(({ row }) => row);
}
