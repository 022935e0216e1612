import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { documentPath, queuePath, tracePath, workerPath } from "../../app/places";
import { Go, JobLink, LINK } from "../../components/EntityLink";
import { Panel } from "../../components/Panel";
import { Time } from "../../components/Time";
import { bytes, count, decimal, ratio, seconds } from "../../format/format";
import type { JobDetail } from "../types";
import { childrenQuery, countsQuery } from "./queries";

/** What is known of a job, with the ways to all that it names. */
export function JobFacts({ job }: { readonly job: JobDetail }) {
  const children = useQuery(childrenQuery(job)).data ?? [];
  // A trace may be known from the job's spans alone.
  const traces = useQuery(countsQuery(job.job_id)).data?.trace_ids ?? job.trace_ids;
  return (
    <Panel title="What is known of it">
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 px-4 pt-1 pb-4 sm:grid-cols-3 lg:grid-cols-4 xl:grid-cols-6">
        <Fact term="Document">
          {job.document_id && <Go to={documentPath(job.document_id)}>{job.document_id}</Go>}
        </Fact>
        <Fact term="Queue">{job.queue && <Go to={queuePath(job.queue)}>{job.queue}</Go>}</Fact>
        <Fact term="Worker">{job.worker_id && <Go to={workerPath(job.worker_id)}>{job.worker_id}</Go>}</Fact>
        <Fact term="Tenant">
          {job.tenant && (
            <Link to="/jobs" search={{ tenant: job.tenant }} className={LINK}>
              {job.tenant}
            </Link>
          )}
        </Fact>
        <Fact term="Submitted by the job">{job.parent_id && <JobLink id={job.parent_id} />}</Fact>
        <Fact term={traces.length > 1 ? "Traces" : "Trace"}>
          {traces.length > 0 && <Links ids={traces} path={tracePath} />}
        </Fact>
        <Fact term="Application">{job.service}</Fact>
        <Fact term="Submitted">{job.submitted_at && <Time at={job.submitted_at} />}</Fact>
        <Fact term="Last attempt began">{job.started_at && <Time at={job.started_at} />}</Fact>
        <Fact term="Ended">{job.ended_at && <Time at={job.ended_at} />}</Fact>
        <Fact term="Priority">{known(job.priority, decimal)}</Fact>
        <Fact term="Pages">{known(job.pages, count)}</Fact>
        <Fact term="Input">
          {[job.content_type, known(job.input_bytes, bytes)].filter(Boolean).join(", ")}
        </Fact>
        <Fact term="Output">{known(job.output_bytes, bytes)}</Fact>
        <Fact term="CPU time">{known(job.cpu_seconds, seconds)}</Fact>
        <Fact term="GPU time">{known(job.gpu_seconds, seconds)}</Fact>
        <Fact term="Peak memory">{known(job.memory_peak_bytes, bytes)}</Fact>
        <Fact term="Confidence">{known(job.confidence_score, (share) => ratio(share))}</Fact>
        <Fact term="Request id">{job.request_id}</Fact>
        {Object.entries(job.attributes).map(([name, value]) => (
          <Fact key={name} term={name}>
            {value}
          </Fact>
        ))}
      </dl>
      {children.length > 0 && (
        <p className="wrap-anywhere border-line border-t px-4 py-2.5">
          <span className="text-muted">Jobs that it submitted: </span>
          {children.map(({ id, kind }, place) => (
            <span key={id}>
              {place > 0 && ", "}
              {kind} <JobLink id={id} />
            </span>
          ))}
        </p>
      )}
    </Panel>
  );
}

function Fact({ term, children }: { readonly term: string; readonly children: ReactNode }) {
  if (children === null || children === undefined || children === "" || children === false) return null;
  return (
    <div className="min-w-0">
      <dt className="truncate text-muted text-xs" title={term}>
        {term}
      </dt>
      <dd className="wrap-anywhere line-clamp-4">{children}</dd>
    </div>
  );
}

function known(value: number | null | undefined, show: (value: number) => string): string | null {
  return value == null ? null : show(value);
}

function Links({ ids, path }: { readonly ids: readonly string[]; readonly path: (id: string) => string }) {
  return ids.map((id, place) => (
    <span key={id}>
      {place > 0 && ", "}
      <Go to={path(id)}>{id}</Go>
    </span>
  ));
}
