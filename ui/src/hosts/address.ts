// What the address of a host says.

import { checked, type Query, search } from "../address/read";
import type { Sorting } from "../components/sorting";

/** The columns that processes can be sorted by. */
export const PROCESS_COLUMNS = [
  "name",
  "group",
  "rss",
  "pss",
  "vms",
  "cpu",
  "threads",
  "fds",
  "age",
] as const;

export interface HostSearch {
  /** By which column processes are sorted: `cpu` from the largest on, `cpu.up` from the smallest on. */
  readonly sort?: string;
}

export function hostSearch(query: Query): HostSearch {
  return search<HostSearch>({ sort: checked(query, "sort", (text) => sortingOf(text) !== null) });
}

/** A sorting as an address has it; null when it is none. */
export function sortingOf(text: string | undefined): Sorting | null {
  if (text === undefined) return null;
  const isDown = !text.endsWith(".up");
  const column = isDown ? text : text.slice(0, -3);
  return PROCESS_COLUMNS.some((known) => known === column) ? { column, isDown } : null;
}

export function sortingText(sorting: Sorting | null): string | undefined {
  if (sorting === null) return undefined;
  return sorting.isDown ? sorting.column : `${sorting.column}.up`;
}
