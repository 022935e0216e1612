// By which column a table is sorted, as an address has it: `name`, or `-name` from the largest down.

import type { Sorting } from "../components/sorting";

export function sortingOf(text: string | undefined): Sorting | null {
  if (text === undefined) return null;
  return text.startsWith("-") ? { column: text.slice(1), isDown: true } : { column: text, isDown: false };
}

export function sortText(sorting: Sorting | null): string | undefined {
  return sorting === null ? undefined : `${sorting.isDown ? "-" : ""}${sorting.column}`;
}
