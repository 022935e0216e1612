// How a table is sorted, as an address holds it: `waiting` from the largest on, `waiting.up` from the smallest on.

import type { Sorting } from "../components/sorting";

const UP = ".up";

/** The sorting of a text; null when it is by none of the columns. */
export function sortingOf(text: string | undefined, columns: readonly string[]): Sorting | null {
  if (text === undefined) return null;
  const isDown = !text.endsWith(UP);
  const column = isDown ? text : text.slice(0, -UP.length);
  return columns.includes(column) ? { column, isDown } : null;
}

export function sortingText(sorting: Sorting | null): string | undefined {
  return sorting ? `${sorting.column}${sorting.isDown ? "" : UP}` : undefined;
}
