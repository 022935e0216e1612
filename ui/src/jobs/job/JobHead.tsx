import { Badge } from "../../components/Badge";
import { TONE_FILL } from "../../components/tone";
import { count, ratio, seconds } from "../../format/format";
import { jobState } from "../../overview/jobs";
import type { JobDetail } from "../types";
import { outlook, type Usual } from "./expected";
import { isOver } from "./queries";

interface Props {
  readonly job: JobDetail;
  readonly usual: ReadonlyMap<string, Usual>;
  readonly now: number;
}

/** What it is and how it does, why it is stuck or has failed, and how far it is. */
export function JobHead({ job, usual, now }: Props) {
  const state = jobState({ status: job.status, judgement: { verdict: "fine", reason: "" } });
  const attempts = job.attempts.length;
  return (
    <div className="grid gap-2">
      <h1 className="wrap-anywhere font-semibold text-xl tracking-tight">
        {job.kind ?? "Job"} <span className="font-mono font-normal text-base">{job.job_id}</span>
      </h1>
      <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <Badge tone={state.tone}>{state.text}</Badge>
        {job.judgement.verdict !== "fine" && (
          <Badge tone="warn">{job.judgement.verdict.replaceAll("_", " ")}</Badge>
        )}
        {job.quality_degraded && <Badge tone="warn">quality degraded</Badge>}
        <span>{story(job)}</span>
        {attempts > 1 && (
          <span className="text-muted">
            {count(attempts)} attempts
            {job.max_retries != null && ` of ${count(job.max_retries + 1)} at the most`}
          </span>
        )}
      </p>
      {job.judgement.reason !== "" && (
        <p role="status" className="wrap-anywhere rounded-lg bg-warn-soft px-3 py-2 text-warn">
          <strong className="font-semibold">Why it is stuck:</strong> {job.judgement.reason}
        </p>
      )}
      {job.status === "failed" && job.error && (
        <p className="wrap-anywhere rounded-lg bg-bad-soft px-3 py-2 text-bad">
          <strong className="font-semibold">{job.error.error_type ?? "It failed"}</strong>
          {job.error.message && `: ${job.error.message}`}
          {job.error.timed_out && " (it ran out of time)"}
        </p>
      )}
      {!isOver(job) && <Progress job={job} words={outlook(job, usual, now)} />}
    </div>
  );
}

/** How long it waited and ran. */
function story(job: JobDetail): string {
  const waited = job.queue_wait_seconds == null ? null : `waited ${seconds(job.queue_wait_seconds)}`;
  const ran =
    job.duration_seconds == null
      ? null
      : `${job.status === "running" ? "has run for" : "ran"} ${seconds(job.duration_seconds)}`;
  const all = job.total_seconds == null ? null : `${seconds(job.total_seconds)} in all`;
  return [waited, ran, all].filter(Boolean).join(", ");
}

function Progress({ job, words }: { readonly job: JobDetail; readonly words: string | null }) {
  const doing = [job.stage, job.message].filter(Boolean).join(": ");
  if (job.progress == null && words === null && doing === "") return null;
  return (
    <div className="grid max-w-2xl gap-1">
      <p className="wrap-anywhere">
        {doing}
        {words !== null && <span className="text-muted">{doing === "" ? words : ` – ${words}`}</span>}
      </p>
      {job.progress != null && (
        <div className="flex items-center gap-2">
          <div
            role="progressbar"
            aria-label="Progress"
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(job.progress * 100)}
            className="h-2 flex-1 overflow-hidden rounded-full bg-line"
          >
            <div
              className={`h-full ${TONE_FILL.note}`}
              style={{ width: ratio(job.progress).replace(" ", "") }}
            />
          </div>
          <span className="tabular-nums">{ratio(job.progress)}</span>
        </div>
      )}
    </div>
  );
}
