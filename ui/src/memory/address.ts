// What an address says of the page of memory.

import { checked, type Query, search, text } from "../address/read";

export interface MemorySearch {
  /** The most that a worker may hold, in GiB; the shipped rule's when it is left out. */
  readonly limit?: string;
  /** The stage whose jobs are listed. */
  readonly stage?: string;
  /** The component whose jobs are listed. */
  readonly component?: string;
}

/** Above this the shipped rule `WorkerMemoryHigh` warns, in GiB. */
export const DEFAULT_LIMIT = 4.5;

export function isLimit(text: string): boolean {
  const value = Number(text);
  return /^\d{1,5}(\.\d{1,3})?$/.test(text) && value > 0;
}

export function memorySearch(query: Query): MemorySearch {
  return search<MemorySearch>({
    limit: checked(query, "limit", isLimit),
    stage: text(query, "stage"),
    component: text(query, "component"),
  });
}
