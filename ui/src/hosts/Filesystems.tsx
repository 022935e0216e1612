import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Host } from "../api/types";
import { gaugeTone } from "../components/chart/Gauge";
import { Empty } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { bytes, ratio, seconds } from "../format/format";
import { matchers } from "../metrics/quantiles";
import { instantQuery } from "../metrics/queries";
import { rowsBy } from "./groups";
import { DISK_LIMITS, NOW, useShares } from "./shares";

const DAY = 86_400;
const TONES = { idle: "", good: "", note: "", warn: "text-warn", bad: "text-bad" };

/** What is mounted, how full it is, and when it will be full if it goes on as in the last hours. */
export function Filesystems({ host }: { readonly host: Host }) {
  const shares = useShares(host);
  const free = `host_filesystem_available_bytes{${matchers({ host: host.host })}}`;
  const query = useQuery(instantQuery(`${free} / -(deriv(${free}[6h]) < 0)`, NOW));
  const left = useMemo(() => (query.data ? rowsBy("mountpoint", query.data) : null), [query.data]);
  return (
    <Panel title="File systems" aside="time to full as the last 6 hours tell">
      {host.filesystems.length === 0 ? (
        <Empty title="No file system is seen">Network file systems and images are left out.</Empty>
      ) : (
        <Table label="File systems">
          <thead>
            <tr>
              <th className={HEAD}>Mounted at</th>
              <th className={HEAD}>Device</th>
              <th className={HEAD}>Type</th>
              <th className={NUMBER_HEAD}>Size</th>
              <th className={NUMBER_HEAD}>Free</th>
              <th className={NUMBER_HEAD}>In use</th>
              <th className={NUMBER_HEAD}>Full in</th>
            </tr>
          </thead>
          <tbody>
            {shares.map(({ filesystem: one, share }) => {
              const toFull = left?.get(one.mountpoint)?.[""];
              return (
                <tr key={one.mountpoint} className="border-line border-t">
                  <td className={CELL}>{one.mountpoint}</td>
                  <td className={CELL}>{one.device}</td>
                  <td className={CELL}>{one.fstype}</td>
                  <td className={NUMBER}>{bytes(one.size_bytes)}</td>
                  <td className={NUMBER}>{bytes(one.available_bytes)}</td>
                  <td className={`${NUMBER} ${TONES[gaugeTone(share, DISK_LIMITS) ?? "idle"]}`}>
                    {ratio(share, 1)}
                  </td>
                  <td className={`${NUMBER} ${toFull !== undefined && toFull < DAY ? "text-bad" : ""}`}>
                    {left === null ? "–" : toFull === undefined ? "does not fill" : seconds(toFull)}
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
