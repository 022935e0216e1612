// What an address says of the view: its own addresses, and those that Prometheus has.

import { durationSeconds, RANGES, type Range, rangeOver } from "./range";

export type Tab = "graph" | "table";

export interface ExploreSearch {
  /** The expression; nothing is asked when it is left out. */
  readonly expr?: string;
  /** A graph when it is left out. */
  readonly tab?: Tab;
  /** How far back a graph looks; an hour when it is left out. */
  readonly range?: Range;
  /** When a graph ends and a table is of, in RFC 3339; now when it is left out. */
  readonly end?: string;
}

type Query = Record<string, unknown>;

/** The search of our own addresses; what is malformed in it is left out. */
export function exploreSearch(query: Query): ExploreSearch {
  const expr = textOf(query.expr);
  const tab = textOf(query.tab);
  const range = RANGES.find((range) => range === query.range);
  const end = textOf(query.end);
  return {
    ...(expr.trim() !== "" ? { expr } : {}),
    ...(tab === "table" ? { tab } : {}),
    ...(range !== undefined ? { range } : {}),
    ...(isTime(end) ? { end } : {}),
  };
}

/** The same of an address as `graphLink` and `tableLink` make them. Of several panels it is the first. */
export function prometheusSearch(query: Query): ExploreSearch {
  // As there, a panel that names no tab is a table.
  const tab: Tab = ["0", "graph"].includes(textOf(query["g0.tab"])) ? "graph" : "table";
  const range = durationSeconds(textOf(query["g0.range_input"]));
  const moment = tab === "table" ? textOf(query["g0.moment_input"]) : "";
  return exploreSearch({
    expr: query["g0.expr"],
    tab,
    range: range === null ? undefined : rangeOver(range),
    end: asRfc3339(moment === "" ? textOf(query["g0.end_input"]) : moment),
  });
}

/** A value as it stood in the address: the router makes numbers of some, and lists of what is there twice. */
function textOf(value: unknown): string {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return first === undefined || first === null ? "" : String(first);
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

function isTime(text: string): boolean {
  return TIME.test(text) && Number.isFinite(Date.parse(text));
}

/** A time as Prometheus' inputs write it (`2026-01-31 12:00:00`, in UTC), in RFC 3339. */
function asRfc3339(text: string): string {
  const parts = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2})(:\d{2})?$/.exec(text);
  return parts ? `${parts[1]}T${parts[2]}${parts[3] ?? ":00"}Z` : text;
}
