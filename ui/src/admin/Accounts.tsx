import { useQuery } from "@tanstack/react-query";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { count } from "../format/format";
import { instantQuery } from "../metrics/queries";
import { type Value, valuesOf } from "../metrics/values";
import { spanNow, useTimeRange } from "../time/useTimeRange";

interface Props {
  readonly title: string;
  /** A counter of Watchkeeper's own. */
  readonly metric: string;
  /** By which of its labels it is told apart. */
  readonly labels: readonly string[];
  /** Said where it has counted nothing. */
  readonly empty: string;
  /** Whether it counts what should not happen. */
  readonly isFault?: boolean;
}

/** What a counter has counted in the time that is shown, and since the start; the most first. */
export function Accounts({ title, metric, labels, empty, isFault = false }: Props) {
  const range = useTimeRange();
  const { start, end } = spanNow(range);
  const length = Math.round(end - start);
  const by = labels.join(", ");
  const total = useQuery({
    ...instantQuery(`sum by (${by}) (${metric}) > 0`, range),
    select: valuesOf,
  });
  const recent = useQuery({
    ...instantQuery(`sum by (${by}) (increase(${metric}[${length}s]))`, range),
    select: valuesOf,
  });
  const before = useQuery({
    ...instantQuery(`sum by (${by}) (${metric} offset ${length}s)`, range),
    select: valuesOf,
  });
  const recently = byKey(recent.data, labels);
  const earlier = byKey(before.data, labels);
  // A counter that began in this time has no increase up to its first value, but was not there before.
  const latelyOf = (row: Value) => {
    const key = keyOf(row, labels);
    return Math.max(recently.get(key) ?? 0, before.data ? row.value - (earlier.get(key) ?? 0) : 0);
  };
  const rows = [...(total.data ?? [])].sort((a, b) => b.value - a.value);
  return (
    <Panel title={title}>
      {!total.data && total.error ? (
        <Failure error={total.error} retry={() => void total.refetch()} />
      ) : !total.data ? (
        <div className="p-4">
          <Loading className="h-16" />
        </div>
      ) : rows.length === 0 ? (
        <Empty title="None">{empty}</Empty>
      ) : (
        <Table label={title}>
          <thead>
            <tr>
              {labels.map((label) => (
                <th key={label} className={`${HEAD} first-letter:uppercase`}>
                  {label}
                </th>
              ))}
              <th className={NUMBER_HEAD}>In the time shown</th>
              <th className={NUMBER_HEAD}>Since the start</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => {
              const key = keyOf(row, labels);
              const some = latelyOf(row);
              return (
                <tr key={key} className="border-line border-t">
                  {labels.map((label) => (
                    <td key={label} className={CELL}>
                      {row.labels[label]?.replaceAll("_", " ") ?? "–"}
                    </td>
                  ))}
                  <td className={`${NUMBER} ${isFault && some >= 1 ? "text-warn" : ""}`}>{count(some)}</td>
                  <td className={NUMBER}>{count(row.value)}</td>
                </tr>
              );
            })}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}

function byKey(values: readonly Value[] | undefined, labels: readonly string[]): Map<string, number> {
  return new Map((values ?? []).map((one) => [keyOf(one, labels), one.value]));
}

function keyOf({ labels: all }: Value, labels: readonly string[]): string {
  return labels.map((label) => all[label] ?? "").join("\n");
}
