// The name of a series, as PromQL writes it.

import type { Labels } from "./answer";

const PLAIN_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const PLAIN_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** `name{label="value"}`, which selects the series when it is asked for. */
export function seriesName({ __name__: name, ...labels }: Labels): string {
  const matchers = Object.entries(labels).map(
    ([label, value]) => `${PLAIN_LABEL.test(label) ? label : quoted(label)}=${quoted(value)}`,
  );
  if (name === undefined) return `{${matchers.join(", ")}}`;
  // A name in other characters stands in quotes among the labels.
  if (!PLAIN_NAME.test(name)) return `{${[quoted(name), ...matchers].join(", ")}}`;
  return matchers.length === 0 ? name : `${name}{${matchers.join(", ")}}`;
}

/** A text in quotes. */
export function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
