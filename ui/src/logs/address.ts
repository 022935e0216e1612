// What an address says of the logs.

import { checked, oneOf, type Query, search, text } from "../address/read";
import { FIELD_LIMIT } from "./facetFields";

export type Show = "lines" | "patterns" | "tail";
export type Around = "service" | "host" | "trace" | "job" | "all";

export interface LogsSearch {
  /** The search; all lines when it is left out. */
  readonly q?: string;
  /** The lines that are stored when it is left out. */
  readonly show?: Exclude<Show, "lines">;
  /** The newest lines first when it is left out. */
  readonly order?: "oldest";
  /** Further fields by whose values lines are counted, with commas between them. */
  readonly facets?: string;
  /** The line around which others are shown: its time and its id. */
  readonly line?: string;
  /** Which others: those of its service when it is left out. */
  readonly around?: Around;
}

export function logsSearch(query: Query): LogsSearch {
  const facets = checked(query, "facets", (value) => value.split(",").length <= FIELD_LIMIT);
  return search<LogsSearch>({
    q: text(query, "q"),
    show: oneOf(query, "show", ["patterns", "tail"]),
    order: oneOf(query, "order", ["oldest"]),
    facets,
    line: checked(query, "line", (value) => placeOf(value) !== null),
    around: oneOf(query, "around", ["service", "host", "trace", "job", "all"]),
  });
}

/** Where a line stands. */
export interface Place {
  readonly time: string;
  readonly id: string;
}

export function placeText({ time, id }: Place): string {
  return `${time} ${id}`;
}

/** The place of a line as an address has it; null when it is none. */
export function placeOf(text: string): Place | null {
  const [time = "", ...rest] = text.split(" ");
  const id = rest.join(" ");
  return id !== "" && Number.isFinite(Date.parse(time)) ? { time, id } : null;
}
