import { useQuery } from "@tanstack/react-query";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { count, ratio, seconds } from "../format/format";
import { instantQuery } from "../metrics/queries";
import { selector } from "../metrics/selector";
import { spanNow, useTimeRange } from "../time/useTimeRange";
import { type Bucket, bucketsOf } from "./waits";

/** How the waits of the tasks that began in the range were spread. */
export function Waits({ queue }: { readonly queue: string }) {
  const range = useTimeRange();
  const { start, end } = spanNow(range);
  const expr = `sum by (le) (increase(queue_wait_seconds_bucket${selector({ queue })}[${Math.round(end - start)}s]))`;
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
