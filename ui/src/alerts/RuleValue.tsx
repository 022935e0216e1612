import { useQuery } from "@tanstack/react-query";
import type { Rule } from "../api/types";
import { count, decimal } from "../format/format";
import { instantQuery } from "../metrics/queries";
import { type Value, valuesOf } from "../metrics/values";
import { useTimeRange } from "../time/useTimeRange";
import { type Threshold, thresholdOf } from "./threshold";

/**
 * What a rule's expression gives at the end of the time that is shown: the value that is nearest to its threshold, or
 * how many results there are where it has none. It is asked for when it comes into sight.
 */
export function RuleValue({ rule: { query, kind } }: { readonly rule: Rule }) {
  const threshold = kind === "recording" ? null : thresholdOf(query);
  const range = useTimeRange();
  const answer = useQuery({ ...instantQuery(threshold?.expr ?? query, range), select: valuesOf });
  if (!answer.data) {
    return answer.error ? (
      <span className="text-muted" title={answer.error.message}>
        not known
      </span>
    ) : (
      <span className="text-muted">…</span>
    );
  }
  if (answer.data.length === 0) return <span className="text-muted">no series</span>;
  if (!threshold)
    return <>{`${count(answer.data.length)} ${answer.data.length === 1 ? "result" : "results"}`}</>;
  const value = nearest(answer.data, threshold);
  return (
    <>
      {decimal(Number(value.toPrecision(4)))}{" "}
      <span className="text-muted">
        fires {threshold.operator} {decimal(threshold.value)}
      </span>
    </>
  );
}

/** The value that a rule would fire for first. */
export function nearest(values: readonly Value[], { operator, value }: Threshold): number {
  const numbers = values.map(({ value }) => value).filter((number) => !Number.isNaN(number));
  if (numbers.length === 0) return Number.NaN;
  if (operator.startsWith(">")) return Math.max(...numbers);
  if (operator.startsWith("<")) return Math.min(...numbers);
  const distance = (number: number) => Math.abs(number - value);
  const sorted = numbers.toSorted((a, b) => distance(a) - distance(b));
  return (operator === "==" ? sorted[0] : sorted.at(-1)) ?? Number.NaN;
}
