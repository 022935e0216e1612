import { useQuery } from "@tanstack/react-query";
import type { Job } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { Go, JobLink } from "../components/EntityLink";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { bytes, count, seconds } from "../format/format";
import { jobState, jobWords } from "./jobs";
import { recentJobsQuery } from "./queries";

/** The jobs that were submitted last, and how they do. */
export function RecentJobs() {
  const jobs = useQuery(recentJobsQuery);
  const total = jobs.data?.total ?? 0;
  return (
    <Panel
      title="Recent jobs"
      aside={total > 0 ? <Go to="/jobs">the last 12 of {count(total)} in memory</Go> : undefined}
    >
      {jobs.data ? (
        <Jobs jobs={jobs.data.items} />
      ) : jobs.error ? (
        <Failure error={jobs.error} retry={() => void jobs.refetch()} />
      ) : (
        <div className="p-4">
          <Loading className="h-64" />
        </div>
      )}
    </Panel>
  );
}

function Jobs({ jobs }: { readonly jobs: readonly Job[] }) {
  if (jobs.length === 0) {
    return (
      <Empty title="No job is known yet">
        Pipelines report theirs as events to POST /api/v1/events; the guide shows how.
      </Empty>
    );
  }
  return (
    <Table label="Recent jobs">
      <thead>
        <tr>
          <th className={HEAD}>Status</th>
          <th className={HEAD}>Job</th>
          <th className={HEAD}>Kind</th>
          <th className={HEAD}>Queue</th>
          <th className={HEAD}>What it does</th>
          <th className={NUMBER_HEAD}>Waited</th>
          <th className={NUMBER_HEAD}>Took</th>
          <th className={NUMBER_HEAD}>Peak memory</th>
          <th className={NUMBER_HEAD}>Submitted</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <Row key={job.job_id} job={job} />
        ))}
      </tbody>
    </Table>
  );
}

function Row({ job }: { readonly job: Job }) {
  const { tone, text } = jobState(job);
  const doing = jobWords(job);
  return (
    <tr className="border-line border-t">
      <td className={CELL}>
        <Badge tone={tone}>{text}</Badge>
      </td>
      <td className={`${CELL} max-w-48 truncate`}>
        <JobLink id={job.job_id} />
      </td>
      <td className={CELL}>{job.kind ?? "–"}</td>
      <td className={CELL}>{job.queue ?? "–"}</td>
      <td className={`${CELL} max-w-80 truncate text-muted`} title={doing}>
        {doing}
      </td>
      <td className={NUMBER}>{seconds(job.queue_wait_seconds)}</td>
      <td className={NUMBER}>{seconds(job.duration_seconds)}</td>
      <td className={NUMBER}>{bytes(job.memory_peak_bytes)}</td>
      <td className={NUMBER}>
        <Ago time={job.submitted_at ?? job.first_event_at} />
      </td>
    </tr>
  );
}
