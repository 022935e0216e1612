import { useQuery } from "@tanstack/react-query";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { count, ratio, seconds } from "../format/format";
import type { Labels } from "../metrics/answer";
import { MetricPanel } from "../metrics/MetricPanel";
import { instantQuery } from "../metrics/queries";
import { selector } from "../metrics/selector";
import { spanNow, useTimeRange } from "../time/useTimeRange";
import { type Bucket, bucketsOf } from "./waits";

const NAMES: Readonly<Record<string, string>> = {
  "0.5": "half wait less",
  "0.95": "95 of 100 wait less",
  "0.99": "99 of 100 wait less",
};
const byQuantile = ({ quantile = "" }: Labels) => NAMES[quantile] ?? quantile;

/** How long tasks waited from submission to start: over time, and how the waits were spread. */
export function Waits({ queue }: { readonly queue: string }) {
  const which = selector({ queue });
  const buckets = `sum by (le) (rate(queue_wait_seconds_bucket${which}[5m]))`;
  const expr = Object.keys(NAMES)
    .map((share) => `label_replace(histogram_quantile(${share}, ${buckets}), "quantile", "${share}", "", "")`)
    .join("\nor\n");
  return (
    <div className="grid grid-cols-1 gap-5 lg:grid-cols-2">
      <MetricPanel
        title="How long tasks wait"
        aside="over 5 minutes each"
        expr={expr}
        name={byQuantile}
        show={seconds}
        height={200}
        legend
        empty="Waits are known of jobs whose events say when they were submitted and started."
      />
      <Distribution which={which} />
    </div>
  );
}

function Distribution({ which }: { readonly which: string }) {
  const range = useTimeRange();
  const { start, end } = spanNow(range);
  const expr = `sum by (le) (increase(queue_wait_seconds_bucket${which}[${Math.round(end - start)}s]))`;
  const query = useQuery(instantQuery(expr, range));
  const buckets = query.data ? bucketsOf(query.data) : [];
  const all = buckets.reduce((sum, { amount }) => sum + amount, 0);
  return (
    <Panel title="How the waits were spread" aside={all > 0 ? `${count(all)} tasks` : undefined}>
      {query.error && !query.data ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <div className="p-4">
          <Loading className="h-40" />
        </div>
      ) : buckets.length === 0 ? (
        <Empty title="No task began in this time" />
      ) : (
        <Table label="How the waits were spread">
          <thead>
            <tr>
              <th className={HEAD}>Waited</th>
              <th className={NUMBER_HEAD}>Tasks</th>
              <th className={`${HEAD} w-1/2`}>Of all</th>
              <th className={NUMBER_HEAD}>So long or less</th>
            </tr>
          </thead>
          <tbody>
            {buckets.map((bucket) => (
              <Row key={bucket.to} bucket={bucket} most={Math.max(...buckets.map(({ amount }) => amount))} />
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}

function Row({ bucket, most }: { readonly bucket: Bucket; readonly most: number }) {
  const { from, to, amount, upTo } = bucket;
  return (
    <tr className="border-line border-t">
      <td className="whitespace-nowrap px-4 py-1.5 tabular-nums">
        {Number.isFinite(to)
          ? `${from === 0 ? "up to" : `${seconds(from)} –`} ${seconds(to)}`
          : `over ${seconds(from)}`}
      </td>
      <td className={NUMBER}>{count(amount)}</td>
      <td className="px-4 py-1.5">
        <div
          className="h-3 min-w-px rounded-sm bg-line-strong"
          style={{ width: `${(100 * amount) / most}%` }}
        />
      </td>
      <td className={NUMBER}>{ratio(upTo, 1)}</td>
    </tr>
  );
}
