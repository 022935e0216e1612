import { useQuery } from "@tanstack/react-query";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { ratio, seconds } from "../format/format";
import { probesQuery } from "./queries";

/** Services that Watchkeeper asks again and again, and how they answer. */
export function Probes() {
  const query = useQuery(probesQuery);
  const probes = (query.data?.items ?? []).toSorted((a, b) => Number(a.up) - Number(b.up));
  return (
    <Panel title="Probed services" aside="asked from where Watchkeeper runs">
      {query.error && !query.data ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <div className="p-4">
          <Loading className="h-16" />
        </div>
      ) : probes.length === 0 ? (
        <Empty title="No service is probed">
          Web pages, ports, certificates, databases, buckets and backends of models are named as{" "}
          <code>[[probes.http]]</code> and the like in the configuration.
        </Empty>
      ) : (
        <Table label="Probed services">
          <thead>
            <tr>
              <th className={HEAD}>State</th>
              <th className={HEAD}>Service</th>
              <th className={HEAD}>Kind</th>
              <th className={HEAD}>Since</th>
              <th className={NUMBER_HEAD}>Answered in</th>
              <th className={NUMBER_HEAD}>Up, 1 h</th>
              <th className={NUMBER_HEAD}>Up, 24 h</th>
              <th className={HEAD}>Why not</th>
            </tr>
          </thead>
          <tbody>
            {probes.map((probe) => (
              <tr key={`${probe.kind} ${probe.probe}`} className="border-line border-t">
                <td className={CELL}>
                  <Badge tone={probe.up ? "good" : "bad"}>{probe.up ? "up" : "down"}</Badge>
                </td>
                <td className={`${CELL} max-w-72 truncate`} title={probe.target}>
                  {probe.probe}
                </td>
                <td className={CELL}>{probe.kind}</td>
                <td className={CELL}>
                  <Ago time={probe.since} />
                </td>
                <td className={NUMBER}>{seconds(probe.latency_seconds)}</td>
                <td className={NUMBER}>{ratio(probe.availability["1h"], 1)}</td>
                <td className={NUMBER}>{ratio(probe.availability["24h"], 1)}</td>
                <td className={`${CELL} max-w-96 truncate text-muted`} title={probe.reason ?? undefined}>
                  {probe.reason ?? ""}
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
