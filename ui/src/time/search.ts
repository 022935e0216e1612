// The range of time in an address. Every view has it.

import { note } from "../address/faults";
import { type Query, search, textOf } from "../address/read";
import { DEFAULT_RANGE, spanOf, type TimeRange } from "./range";

export interface RangeSearch {
  /** Where the range begins; an hour ago when it is left out. */
  readonly from?: string;
  /** Where it ends; now when it is left out. */
  readonly to?: string;
}

const NONE = search<RangeSearch>({ from: undefined, to: undefined });

/** The range of an address; what cannot be read is left out. */
export function rangeSearch(query: Query): RangeSearch {
  const from = textOf(query.from);
  const to = textOf(query.to);
  if (from === "" && to === "") return NONE;
  const range = { from: from || DEFAULT_RANGE.from, to: to || DEFAULT_RANGE.to };
  if (spanOf(range, Date.now()) === null) {
    if (from !== "") note("from", from);
    if (to !== "") note("to", to);
    return NONE;
  }
  return range;
}

/** How a range stands in an address: whole, so that what was there before does not stay in part. */
export function searchOf({ from, to }: TimeRange): RangeSearch {
  return { from, to };
}

/** What links say of the range when they say nothing: the one that is shown stays. */
export function keepRange<T extends RangeSearch>({ search, next }: { search: T; next: (search: T) => T }): T {
  const result = next(search);
  if (result.from !== undefined || result.to !== undefined) return result;
  return { ...result, ...rangeSearch(search as Query) };
}
