import { useQuery } from "@tanstack/react-query";
import { Badge } from "../../../components/Badge";
import { Empty } from "../../../components/Notices";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../../../components/Table";
import { Time } from "../../../components/Time";
import { seconds } from "../../../format/format";
import type { JobDetail } from "../../types";
import { type JobRequest, requestsQuery, type Scope } from "../queries";
import { millis } from "../rows";
import { Part } from "./Part";

interface Props {
  readonly job: JobDetail;
  readonly traces: readonly string[];
  readonly scope: Scope;
}

/** The request that caused the job, and those that its traces name. */
export function Requests({ job, traces, scope }: Props) {
  return (
    <Part query={useQuery(requestsQuery(job, traces))}>
      {(all) => {
        const requests = all.filter((request) => scope === null || isWithin(request, scope));
        if (requests.length > 0) return <Listed requests={requests} />;
        return (
          <Empty title="No requests">
            {scope
              ? "None was answered in this part of the job."
              : "Requests that share the job’s request id or its trace are shown here."}
          </Empty>
        );
      }}
    </Part>
  );
}

function isWithin({ time, seconds }: JobRequest, scope: NonNullable<Scope>): boolean {
  const end = millis(time) ?? 0;
  return end - (seconds ?? 0) * 1000 <= scope.end && end >= scope.start;
}

function Listed({ requests }: { readonly requests: readonly JobRequest[] }) {
  return (
    <Table label="Requests">
      <thead>
        <tr>
          <th className={HEAD}>Answered</th>
          <th className={HEAD}>Status</th>
          <th className={HEAD}>Request</th>
          <th className={HEAD}>Application</th>
          <th className={NUMBER_HEAD}>Took</th>
          <th className={HEAD}>Error</th>
        </tr>
      </thead>
      <tbody>
        {requests.map((request) => (
          <tr key={request.id} className="border-line border-t">
            <td className={CELL}>
              <Time at={request.time} style="millisecond" />
            </td>
            <td className={CELL}>
              <Badge tone={request.status >= 500 ? "bad" : request.status >= 400 ? "warn" : "good"}>
                {request.status}
              </Badge>
            </td>
            <td className={`${CELL} max-w-96 truncate font-mono text-[13px]`} title={request.path}>
              {request.method} {request.path}
              {request.isCause && <span className="pl-2 font-sans text-muted text-xs">caused the job</span>}
            </td>
            <td className={CELL}>{request.service ?? "–"}</td>
            <td className={NUMBER}>{seconds(request.seconds)}</td>
            <td className={`${CELL} max-w-64 truncate text-muted`} title={request.error ?? undefined}>
              {request.error ?? "–"}
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
