import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Request } from "../api/types";
import { jobPath } from "../app/places";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, Table } from "../components/Table";
import { belongsTo, causedJobsQuery } from "./queries";

/** The jobs that a request caused. */
export function RequestJobs({ request }: { readonly request: Request }) {
  const query = useQuery(causedJobsQuery(request));
  const jobs = query.data ?? [];
  return (
    <Panel title="Jobs that it caused">
      {belongsTo(request) === null ? (
        <Empty title="Its jobs are not known">
          The application reported neither a <code>request_id</code> nor a <code>trace_id</code> with it.
        </Empty>
      ) : query.error ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <div className="p-4">
          <Loading className="h-16" />
        </div>
      ) : jobs.length === 0 ? (
        <Empty title="It caused no job">
          Jobs name their request as <code>request_id</code>, or share its trace.
        </Empty>
      ) : (
        <Table label="Jobs that it caused">
          <thead>
            <tr>
              <th className={HEAD}>Job</th>
              <th className={HEAD}>Kind</th>
              <th className={HEAD}>Queue</th>
              <th className={HEAD}>Last heard</th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <tr key={job.job_id} className="border-line border-t">
                <td className={`${CELL} max-w-60 truncate`}>
                  <Link
                    to={jobPath(job.job_id)}
                    className="font-mono text-[13px] underline decoration-line-strong underline-offset-2 hover:decoration-ink"
                  >
                    {job.job_id}
                  </Link>
                </td>
                <td className={CELL}>{job.kind ?? "–"}</td>
                <td className={CELL}>{job.queue ?? "–"}</td>
                <td className={CELL}>{job.last.replace("job.", "")}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
