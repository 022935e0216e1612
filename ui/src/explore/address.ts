// What an address says of the view: its own addresses, and those that Prometheus has.

import { oneOf, type Query, search, text, textOf } from "../address/read";
import { between, durationSeconds, lastOf, momentOf, type TimeRange } from "../time/range";
import { type RangeSearch, searchOf } from "../time/search";

export type Tab = "graph" | "table";

export interface ExploreSearch {
  /** The expression; nothing is asked when it is left out. */
  readonly expr?: string;
  /** A graph when it is left out. */
  readonly tab?: Tab;
}

/** The search of our own addresses; what is malformed in it is left out. */
export function exploreSearch(query: Query): ExploreSearch {
  const tab = oneOf(query, "tab", ["graph", "table"]);
  return search<ExploreSearch>({ expr: text(query, "expr"), tab: tab === "graph" ? undefined : tab });
}

/** The same of an address as `graphLink` and `tableLink` make them. Of several panels it is the first. */
export function prometheusSearch(query: Query): ExploreSearch & RangeSearch {
  // As there, a panel that names no tab is a table.
  const isGraph = ["0", "graph"].includes(textOf(query["g0.tab"]));
  const tab: Tab = isGraph ? "graph" : "table";
  const moment = isGraph ? "" : textOf(query["g0.moment_input"]);
  const range = rangeOf(
    textOf(query["g0.range_input"]),
    moment === "" ? textOf(query["g0.end_input"]) : moment,
  );
  return { ...exploreSearch({ expr: query["g0.expr"], tab }), ...(range ? searchOf(range) : {}) };
}

const HOUR = 3_600;

/** A range as two inputs of Prometheus' page say it: how long it is, and when it ends. Null when neither does. */
function rangeOf(length: string, end: string): TimeRange | null {
  const seconds = durationSeconds(length);
  const last = momentOf(asRfc3339(end), Date.now());
  if (last !== null) return between(last - (seconds ?? HOUR), last);
  return seconds === null ? null : lastOf(length);
}

/** A time as Prometheus' inputs write it (`2026-01-31 12:00:00`, in UTC), in RFC 3339. */
function asRfc3339(text: string): string {
  const parts = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2})(:\d{2})?$/.exec(text);
  return parts ? `${parts[1]}T${parts[2]}${parts[3] ?? ":00"}Z` : text;
}
