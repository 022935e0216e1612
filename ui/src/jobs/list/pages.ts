// A long list, of which only those pages are here that are in sight.

/** How many jobs a page has. */
export const PAGE = 100;
/** The most rows that can be scrolled through; browsers draw nothing higher than some 30 million pixels. */
export const MOST_ROWS = 500_000;

/** The pages that hold these rows, both included. */
export function pagesIn(first: number, last: number): readonly number[] {
  const [from, to] = [Math.floor(first / PAGE), Math.floor(Math.max(first, last) / PAGE)];
  return Array.from({ length: to - from + 1 }, (_, place) => from + place);
}

/** A row by its place; what it shows is not here yet where it is null. */
export interface Slot<T> {
  readonly place: number;
  readonly item: T | null;
}

/** All rows of the list, of the pages that are here. */
export function slotsOf<T>(total: number, pages: ReadonlyMap<number, readonly T[]>): readonly Slot<T>[] {
  const length = Math.min(total, MOST_ROWS);
  const slots: Slot<T>[] = Array.from({ length }, (_, place) => ({ place, item: null }));
  for (const [page, items] of pages) {
    for (const [offset, item] of items.entries()) {
      const place = page * PAGE + offset;
      if (place < length) slots[place] = { place, item };
    }
  }
  return slots;
}
