import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Sparkline } from "../components/chart/Sparkline";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { bytes, count, ratio } from "../format/format";
import { matchers } from "../metrics/quantiles";
import { graphQuery, instantQuery } from "../metrics/queries";
import { lengthOf } from "../metrics/window";
import { useTimeRange } from "../time/useTimeRange";
import { rowsBy } from "./groups";

/** The configured groups of processes, and whether they were started again. */
export function ProcessGroups({ host }: { readonly host: string }) {
  const range = useTimeRange();
  const chosen = matchers({ host });
  const now = useQuery(
    instantQuery(
      `{__name__=~"process_group_(count|resident_memory_bytes|cpu_ratio|unlisted)",${chosen}}`,
      range,
    ),
  );
  const again = useQuery(
    instantQuery(`increase(process_group_restarts_total{${chosen}}[${lengthOf(range)}])`, range),
  );
  const memory = useQuery(graphQuery(`process_group_resident_memory_bytes{${chosen}}`, range)).data;
  const rows = useMemo(() => (now.data ? [...rowsBy("group", now.data)] : null), [now.data]);
  const restarts = useMemo(() => (again.data ? rowsBy("group", again.data) : null), [again.data]);
  const line = (group: string) => memory?.lines.find(({ labels }) => labels.group === group)?.values ?? [];
  return (
    <Panel title="Groups of processes">
      {now.error && !rows ? (
        <Failure error={now.error} retry={() => void now.refetch()} />
      ) : !rows ? (
        <div className="p-4">
          <Loading className="h-24" />
        </div>
      ) : rows.length === 0 ? (
        <Empty title="No group is watched">
          Groups are named as <code>[[processes.groups]]</code> in the configuration.
        </Empty>
      ) : (
        <Table label="Groups of processes">
          <thead>
            <tr>
              <th className={HEAD}>Group</th>
              <th className={NUMBER_HEAD}>Processes</th>
              <th className={NUMBER_HEAD}>Memory</th>
              <th className={HEAD}>Over time</th>
              <th className={NUMBER_HEAD}>CPU</th>
              <th className={NUMBER_HEAD}>Restarts in this time</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([group, values]) => {
              const restarted = Math.round(restarts?.get(group)?.[""] ?? 0);
              return (
                <tr key={group} className="border-line border-t">
                  <td className={`${CELL} font-medium`}>{group}</td>
                  <td className={NUMBER}>{count(values.process_group_count)}</td>
                  <td className={NUMBER}>{bytes(values.process_group_resident_memory_bytes)}</td>
                  <td className={CELL}>
                    <Sparkline label={`Memory of ${group} over time`} values={line(group)} />
                  </td>
                  <td className={NUMBER}>{ratio(values.process_group_cpu_ratio)}</td>
                  <td className={`${NUMBER} ${restarted > 0 ? "text-warn" : "text-muted"}`}>
                    {count(restarted)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
