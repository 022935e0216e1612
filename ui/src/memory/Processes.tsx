import { useQuery } from "@tanstack/react-query";
import { hostPath } from "../app/places";
import { Go } from "../components/EntityLink";
import { Empty } from "../components/Notices";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { bytes, ratio } from "../format/format";
import { hostsQuery, type MemoryHost } from "./queries";
import { Sums } from "./Sums";

/** How many processes of each host are shown. */
const MOST = 10;

/** The largest processes of each host, now. */
export function Processes() {
  const query = useQuery(hostsQuery);
  return (
    <Sums title="Largest processes" aside="now, by resident memory" query={query}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty title="No host is watched">
            Watchkeeper watches the machine that it runs on; the collectors’ section of the configuration says
            how.
          </Empty>
        ) : (
          <div className="grid grid-cols-1 gap-4">
            {items.map((host) => (
              <Host key={host.host} host={host} />
            ))}
          </div>
        )
      }
    </Sums>
  );
}

function Host({ host }: { readonly host: MemoryHost }) {
  const processes = [...host.processes].sort((a, b) => b.rss_bytes - a.rss_bytes).slice(0, MOST);
  return (
    <div>
      <h3 className="flex flex-wrap items-baseline gap-x-3 px-4 font-medium">
        <Go to={hostPath(host.host)}>{host.host}</Go>
        <span className="font-normal text-muted text-xs">
          {ratio(host.memory_ratio)} of {bytes(host.memory_total_bytes)} in use,{" "}
          {bytes(host.memory_available_bytes)} available
        </span>
      </h3>
      <Table label={`Largest processes of ${host.host}`}>
        <thead>
          <tr>
            <th className={HEAD}>Process</th>
            <th className={NUMBER_HEAD}>Id</th>
            <th className={HEAD}>Group</th>
            <th className={HEAD}>Command</th>
            <th className={NUMBER_HEAD}>Resident</th>
            <th className={NUMBER_HEAD}>Proportional</th>
            <th className={NUMBER_HEAD}>Of the host</th>
          </tr>
        </thead>
        <tbody>
          {processes.map((process) => (
            <tr key={process.pid} className="border-line border-t">
              <td className={`${CELL} max-w-48 truncate`} title={process.name}>
                {process.name}
              </td>
              <td className={NUMBER}>{process.pid}</td>
              <td className={CELL}>{process.group ?? "–"}</td>
              <td
                className={`${CELL} max-w-96 truncate font-mono text-[13px] text-muted`}
                title={process.command}
              >
                {process.command}
              </td>
              <td className={NUMBER}>{bytes(process.rss_bytes)}</td>
              <td className={NUMBER}>{bytes(process.pss_bytes)}</td>
              <td className={NUMBER}>{ratio(process.memory_ratio, 1)}</td>
            </tr>
          ))}
        </tbody>
      </Table>
    </div>
  );
}
