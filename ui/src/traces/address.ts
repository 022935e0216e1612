// What an address says of traces: of their list, and of one.

import { checked, oneOf, type Query, search, text } from "../address/read";

export interface TracesSearch {
  /** The search of spans; all traces when it is left out. */
  readonly q?: string;
  /** The column by which the list is sorted: `duration`, or `-duration` from its largest on. */
  readonly sort?: string;
}

const SORT = /^-?(start|duration|spans|errors)$/;

export function tracesSearch(query: Query): TracesSearch {
  return search<TracesSearch>({
    q: text(query, "q"),
    sort: checked(query, "sort", (value) => SORT.test(value)),
  });
}

export type View = "waterfall" | "flame";

export interface TraceSearch {
  /** A waterfall when it is left out. */
  readonly view?: "flame";
  /** The span whose details are shown. */
  readonly span?: string;
  /** The span whose frame is as wide as the flame graph. */
  readonly frame?: string;
  /** Whether log lines are left out of the waterfall. */
  readonly logs?: "off";
}

const SPAN_ID = /^[0-9a-f]{16}$/i;

export function traceSearch(query: Query): TraceSearch {
  const spanId = (name: string) => checked(query, name, (value) => SPAN_ID.test(value));
  return search<TraceSearch>({
    view: oneOf(query, "view", ["flame"]),
    span: spanId("span"),
    frame: spanId("frame"),
    logs: oneOf(query, "logs", ["off"]),
  });
}

/** The id of a trace in what somebody wrote; null when that is something else. */
export function traceIdOf(text: string): string | null {
  const id = text.trim().replaceAll("-", "").toLowerCase();
  return /^[0-9a-f]{32}$/.test(id) ? id : null;
}
