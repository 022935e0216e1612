import type { UseQueryResult } from "@tanstack/react-query";
import type { Exit, Worker } from "../api/types";
import { Badge } from "../components/Badge";
import { JobLink } from "../components/EntityLink";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { Time } from "../components/Time";
import { bytes } from "../format/format";
import { Exits } from "./Exits";
import { endingOf, type Process } from "./processes";

interface Props {
  readonly worker: Worker;
  readonly processes: UseQueryResult<readonly Process[]>;
  /** Its bad ends. */
  readonly exits: readonly Exit[];
}

/** The processes that a worker was in the range, how each ended, and what shows it. */
export function Processes({ worker, processes, exits }: Props) {
  const { data, error } = processes;
  return (
    <>
      <Panel title="Its processes" aside="as its heartbeats tell, newest first">
        {error && !data ? (
          <Failure error={error} retry={() => void processes.refetch()} />
        ) : !data ? (
          <div className="p-4">
            <Loading className="h-16" />
          </div>
        ) : data.length === 0 ? (
          <Empty title="Nothing was heard of it in this time">
            A longer range may show when it was there.
          </Empty>
        ) : (
          <Table label="Its processes">
            <thead>
              <tr>
                <th className={HEAD}>Began</th>
                <th className={HEAD}>Process</th>
                <th className={HEAD}>Version</th>
                <th className={HEAD}>Last heard of</th>
                <th className={HEAD}>How it ended</th>
                <th className={NUMBER_HEAD}>Most memory</th>
                <th className={NUMBER_HEAD}>Memory last</th>
                <th className={HEAD}>Last job</th>
              </tr>
            </thead>
            <tbody>
              {data.map((process) => (
                <Row
                  key={`${process.startedAt} ${process.host} ${process.pid} ${process.version}`}
                  process={process}
                  worker={worker}
                  exits={exits}
                />
              ))}
            </tbody>
          </Table>
        )}
      </Panel>
      <Panel title="Crashes, and what shows them">
        {exits.length > 0 ? (
          <Exits label="Crashes" exits={exits} />
        ) : (
          <Empty title="No bad end of it was seen in this time">
            What the kernel and the service manager tell of its processes stands here, where Watchkeeper runs
            on the same host.
          </Empty>
        )}
      </Panel>
    </>
  );
}

interface RowProps {
  readonly process: Process;
  readonly worker: Worker;
  readonly exits: readonly Exit[];
}

function Row({ process, worker, exits }: RowProps) {
  const ending = endingOf(process, worker, exits);
  return (
    <tr className="border-line border-t">
      <td className={CELL}>
        <Time at={process.startedAt ?? process.firstAt} />
      </td>
      <td className={`${CELL} max-w-56 truncate`}>
        {process.pid ?? "–"} {process.host && <span className="text-muted">on {process.host}</span>}
      </td>
      <td className={`${CELL} max-w-40 truncate`}>{process.version ?? "–"}</td>
      <td className={CELL}>
        <Time at={process.lastAt} />
      </td>
      <td className={`${CELL} max-w-96 truncate`} title={ending.text}>
        <Badge tone={ending.tone}>{ending.text}</Badge>
      </td>
      <td className={NUMBER}>{bytes(process.memoryMax)}</td>
      <td className={NUMBER}>{bytes(process.memoryLast)}</td>
      <td className={`${CELL} max-w-48 truncate`}>
        <JobLink id={process.jobId} />
      </td>
    </tr>
  );
}
