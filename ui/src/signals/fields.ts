// All that is known of a log record or a span, as a list of fields.

import type { LogRecord, TraceSpan } from "../api/types";

export interface Field {
  /** The field as people read it. */
  readonly name: string;
  readonly value: string;
  /** The same as a search names it; null where no search knows it. */
  readonly search: string | null;
}

/** What is shown elsewhere, as a whole text. */
const ELSEWHERE = new Set(["exception_stacktrace"]);

/** The fields of a log record, but for its message and its traceback. */
export function lineFields(line: LogRecord): readonly Field[] {
  const { level, severity_text, severity_number, trace_id, span_id, event_name, category, id } = line;
  const own = {
    level,
    severity_text,
    severity_number,
    trace_id,
    span_id,
    event_name,
    category,
    flaws: line.flaws?.join(", "),
  };
  return [...known(own), ...sharedFields(line), ...known({ observed_time: line.observed_time, id }, false)];
}

/** What log records and spans both have. */
export function sharedFields({
  conventions,
  origin,
  attributes,
}: Pick<LogRecord | TraceSpan, "conventions" | "origin" | "attributes">): readonly Field[] {
  const { resource_attributes, scope_attributes, ...source } = origin;
  return [
    ...known(conventions),
    ...known(attributes),
    ...known(source),
    ...prefixed("resource", resource_attributes, true),
    ...prefixed("scope", scope_attributes, false),
  ];
}

type Values = Readonly<Record<string, unknown>>;

function known(values: Values, isSearched = true): readonly Field[] {
  return Object.entries(values)
    .filter(([name, value]) => value !== null && value !== undefined && value !== "" && !ELSEWHERE.has(name))
    .map(([name, value]) => ({ name, value: String(value), search: isSearched ? name : null }));
}

function prefixed(prefix: string, values: Values | null | undefined, isSearched: boolean): readonly Field[] {
  return known(values ?? {}).map(({ name, value }) => {
    const whole = `${prefix}.${name}`;
    return { name: whole, value, search: isSearched ? whole : null };
  });
}
