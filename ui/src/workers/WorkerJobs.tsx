import { useQuery } from "@tanstack/react-query";
import type { Job } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { DocumentLink, JobLink, QueueLink } from "../components/EntityLink";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { bytes, count, seconds } from "../format/format";
import { jobState, jobWords } from "../overview/jobs";
import { JOBS_SHOWN, jobsOfWorkerQuery } from "./queries";

/** What a worker works on, and what it did last. */
export function WorkerJobs({ id }: { readonly id: string }) {
  const query = useQuery(jobsOfWorkerQuery(id));
  const jobs = inOrder(query.data?.items ?? []);
  const total = query.data?.total ?? 0;
  return (
    <Panel
      title="Its jobs"
      aside={total > JOBS_SHOWN ? `the last ${JOBS_SHOWN} of ${count(total)} in memory` : undefined}
    >
      {query.error && !query.data ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <div className="p-4">
          <Loading className="h-40" />
        </div>
      ) : jobs.length === 0 ? (
        <Empty title="No job in memory names it">
          Jobs name their worker in the events job.started and those that follow.
        </Empty>
      ) : (
        <Table label="Its jobs">
          <thead>
            <tr>
              <th className={HEAD}>Status</th>
              <th className={HEAD}>Job</th>
              <th className={HEAD}>Kind</th>
              <th className={HEAD}>Queue</th>
              <th className={HEAD}>Document</th>
              <th className={HEAD}>What it does</th>
              <th className={NUMBER_HEAD}>Ran</th>
              <th className={NUMBER_HEAD}>Peak memory</th>
              <th className={NUMBER_HEAD}>Began</th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <Row key={job.job_id} job={job} />
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}

/** Those that run first. */
function inOrder(jobs: readonly Job[]): readonly Job[] {
  const runs = (job: Job) => Number(job.status === "running");
  return [...jobs].sort((a, b) => runs(b) - runs(a));
}

function Row({ job }: { readonly job: Job }) {
  const { tone, text } = jobState(job);
  const words = jobWords(job);
  return (
    <tr className="border-line border-t">
      <td className={CELL}>
        <Badge tone={tone}>{text}</Badge>
      </td>
      <td className={`${CELL} max-w-48 truncate`}>
        <JobLink id={job.job_id} />
      </td>
      <td className={`${CELL} max-w-40 truncate`}>{job.kind ?? "–"}</td>
      <td className={`${CELL} max-w-40 truncate`}>
        <QueueLink id={job.queue} />
      </td>
      <td className={`${CELL} max-w-40 truncate`}>
        <DocumentLink id={job.document_id} />
      </td>
      <td className={`${CELL} max-w-72 truncate text-muted`} title={words}>
        {words}
      </td>
      <td className={NUMBER}>{seconds(job.duration_seconds)}</td>
      <td className={NUMBER}>{bytes(job.memory_peak_bytes)}</td>
      <td className={NUMBER}>
        <Ago time={job.started_at} />
      </td>
    </tr>
  );
}
