import { useQuery } from "@tanstack/react-query";
import type { RequestGroup } from "../api/types";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { count, ratio, seconds } from "../format/format";
import { relativeName } from "../time/range";
import { useTimeRange } from "../time/useTimeRange";
import { requestStatsQuery } from "./queries";

/** How many requests there were, how long they took and how many failed; and where they went. */
export function RequestStatistics() {
  const range = useTimeRange();
  const stats = useQuery(requestStatsQuery(range));
  const when = relativeName(range) ?? undefined;
  if (stats.error && !stats.data) {
    return (
      <Panel title="Request statistics" aside={when}>
        <Failure error={stats.error} retry={() => void stats.refetch()} />
      </Panel>
    );
  }
  const all = stats.data?.all;
  return (
    <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,2fr)]">
      <Panel title="Request statistics" aside={when}>
        {all ? (
          <dl className="grid grid-cols-2 gap-x-4 gap-y-4 px-4 pt-1 pb-4">
            <Figure term="Total requests" value={count(all.requests)} />
            <Figure
              term="Error rate"
              value={all.requests > 0 ? ratio(all.error_rate, 1) : "–"}
              more={`${count(all.errors)} with status 400 or more`}
            />
            <Figure
              term="Average response time"
              value={all.requests > 0 ? seconds(all.average_seconds) : "–"}
            />
            <Figure term="95th percentile" value={seconds(all.p95_seconds)} />
          </dl>
        ) : (
          <div className="p-4">
            <Loading className="h-28" />
          </div>
        )}
      </Panel>
      <Panel title="Top endpoints" aside={when}>
        {stats.data ? (
          <Endpoints groups={stats.data.items} all={stats.data.all.requests} />
        ) : (
          <div className="p-4">
            <Loading className="h-28" />
          </div>
        )}
      </Panel>
    </div>
  );
}

function Figure({
  term,
  value,
  more,
}: {
  readonly term: string;
  readonly value: string;
  readonly more?: string;
}) {
  return (
    <div>
      <dt className="text-muted text-xs">{term}</dt>
      <dd className="font-semibold text-xl tabular-nums tracking-tight">{value}</dd>
      {more !== undefined && <dd className="text-muted text-xs">{more}</dd>}
    </div>
  );
}

function Endpoints({ groups, all }: { readonly groups: readonly RequestGroup[]; readonly all: number }) {
  if (groups.length === 0) {
    return (
      <Empty title="No requests in this period">
        Applications report theirs as <code>request.finished</code> events to POST /api/v1/events.
      </Empty>
    );
  }
  return (
    <Table label="Top endpoints">
      <thead>
        <tr>
          <th className={HEAD}>Endpoint</th>
          <th className={NUMBER_HEAD}>Requests</th>
          <th className={NUMBER_HEAD}>Share</th>
          <th className={NUMBER_HEAD}>Average</th>
          <th className={NUMBER_HEAD}>95th percentile</th>
          <th className={NUMBER_HEAD}>Errors</th>
        </tr>
      </thead>
      <tbody>
        {groups.map((group) => (
          <tr key={group.key ?? ""} className="border-line border-t">
            <td className={`${CELL} max-w-72 truncate font-mono text-[13px]`} title={group.key ?? undefined}>
              {group.key ?? "not said"}
            </td>
            <td className={NUMBER}>{count(group.requests)}</td>
            <td className={NUMBER}>{ratio(all > 0 ? group.requests / all : null)}</td>
            <td className={NUMBER}>{seconds(group.average_seconds)}</td>
            <td className={NUMBER}>{seconds(group.p95_seconds)}</td>
            <td className={`${NUMBER} ${group.errors > 0 ? "text-bad" : "text-muted"}`}>
              {ratio(group.error_rate, 1)}
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
