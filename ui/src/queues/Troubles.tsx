import { useQuery } from "@tanstack/react-query";
import type { Job } from "../api/types";
import { Badge } from "../components/Badge";
import { DocumentLink, JobLink, WorkerLink } from "../components/EntityLink";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { count, seconds } from "../format/format";
import { jobState } from "../overview/jobs";
import { LOOKED_AT, openJobsQuery } from "./queries";

/** How many are shown. */
const SHOWN = 20;

/** Jobs of a queue that are held to be stuck, and why. There is nothing to see while there is none. */
export function Troubles({ queue }: { readonly queue: string }) {
  const open = useQuery(openJobsQuery(queue)).data;
  const stuck = open?.jobs.filter(({ judgement }) => judgement.verdict !== "fine") ?? [];
  if (!open || stuck.length === 0) return null;
  return (
    <Panel
      title="Stuck"
      aside={
        open.isWhole
          ? `${count(stuck.length)} of ${count(open.jobs.length)} that wait or run`
          : `looked at ${LOOKED_AT} that run and the ${LOOKED_AT} that have waited longest`
      }
    >
      <Table label="Stuck jobs">
        <thead>
          <tr>
            <th className={HEAD}>Verdict</th>
            <th className={HEAD}>Job</th>
            <th className={HEAD}>Why</th>
            <th className={HEAD}>Worker</th>
            <th className={HEAD}>Document</th>
            <th className={NUMBER_HEAD}>Waited</th>
            <th className={NUMBER_HEAD}>Runs</th>
          </tr>
        </thead>
        <tbody>
          {stuck.slice(0, SHOWN).map((job) => (
            <Row key={job.job_id} job={job} />
          ))}
        </tbody>
      </Table>
      {stuck.length > SHOWN && (
        <p className="border-line border-t px-4 py-2 text-muted text-xs">
          and {count(stuck.length - SHOWN)} more
        </p>
      )}
    </Panel>
  );
}

function Row({ job }: { readonly job: Job }) {
  const { tone, text } = jobState(job);
  return (
    <tr className="border-line border-t">
      <td className={CELL}>
        <Badge tone={tone}>{text}</Badge>
      </td>
      <td className={`${CELL} max-w-48 truncate`}>
        <JobLink id={job.job_id} />
      </td>
      <td className="min-w-64 wrap-anywhere px-4 py-2 text-muted">{job.judgement.reason}</td>
      <td className={`${CELL} max-w-40 truncate`}>
        <WorkerLink id={job.worker_id} />
      </td>
      <td className={`${CELL} max-w-40 truncate`}>
        <DocumentLink id={job.document_id} />
      </td>
      <td className={NUMBER}>{seconds(job.queue_wait_seconds)}</td>
      <td className={NUMBER}>{job.status === "running" ? seconds(job.duration_seconds) : "–"}</td>
    </tr>
  );
}
