import { useQuery } from "@tanstack/react-query";
import { Badge } from "../components/Badge";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { Time } from "../components/Time";
import { exitWords } from "../format/exit";
import { bytes, count } from "../format/format";
import { useTimeRange } from "../time/useTimeRange";
import { exitsQuery } from "./queries";

/** How many are shown. */
const SHOWN = 50;

/** Processes that ended in a way that somebody should know of. */
export function Exits({ host }: { readonly host: string }) {
  const query = useQuery(exitsQuery(host, useTimeRange()));
  const exits = query.data ?? [];
  return (
    <Panel
      title="Ends that nobody asked for"
      aside={exits.length > SHOWN ? `the newest ${SHOWN} of ${count(exits.length)}` : undefined}
    >
      {query.error && !query.data ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <div className="p-4">
          <Loading className="h-16" />
        </div>
      ) : exits.length === 0 ? (
        <Empty title="No process ended badly in this time">
          Kills for want of memory, faults and services that were started again stand here. The kernel&apos;s
          log tells of them where Watchkeeper may read it.
        </Empty>
      ) : (
        <Table label="Ends that nobody asked for">
          <thead>
            <tr>
              <th className={HEAD}>When</th>
              <th className={HEAD}>Process</th>
              <th className={HEAD}>How</th>
              <th className={HEAD}>Unit or group</th>
              <th className={HEAD}>Worker</th>
              <th className={NUMBER_HEAD}>Memory then</th>
              <th className={HEAD}>What was said</th>
            </tr>
          </thead>
          <tbody>
            {exits.slice(0, SHOWN).map((exit) => (
              <tr key={exit.event_id} className="border-line border-t">
                <td className={CELL}>
                  <Time at={exit.time} />
                </td>
                <td className={`${CELL} max-w-56 truncate`} title={exit.command ?? exit.name}>
                  {exit.name} <span className="text-muted text-xs">{exit.pid ?? ""}</span>
                </td>
                <td className={CELL}>
                  <Badge tone={exit.cause === "unknown" ? "warn" : "bad"}>{exitWords(exit)}</Badge>
                </td>
                <td className={CELL}>{exit.unit ?? exit.group ?? "–"}</td>
                <td className={CELL}>{exit.worker_id ?? "–"}</td>
                <td className={NUMBER}>{bytes(exit.memory_rss_bytes)}</td>
                <td className={`${CELL} max-w-md truncate text-muted`} title={exit.message ?? undefined}>
                  {exit.message ?? ""}
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
