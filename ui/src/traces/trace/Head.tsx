import { Link } from "@tanstack/react-router";
import type { Trace } from "../../api/types";
import { jobPath } from "../../app/places";
import { Time } from "../../components/Time";
import { count, seconds } from "../../format/format";
import { ThingLink } from "../../signals/ThingLink";
import { between } from "../../time/range";
import { searchOf } from "../../time/search";
import type { Tree } from "./layout";

/** The most jobs that are named. */
const JOBS = 6;
const LINK =
  "inline-flex min-h-7 items-center rounded-md border border-line-strong bg-surface px-2 text-xs hover:bg-raised";

/** What a trace is, in short. */
export function Head({ trace, tree }: { readonly trace: Trace; readonly tree: Tree }) {
  const root = tree.roots[0]?.span;
  const services = [...new Set(trace.spans.map(({ origin }) => origin.service ?? "–"))];
  const errors = trace.spans.filter(({ status }) => status === "error").length;
  const critical = trace.spans.reduce((sum, span) => sum + span.critical_seconds, 0);
  const waiting = trace.spans.reduce((sum, span) => sum + span.waiting_seconds, 0);
  const begin = tree.begin / 1000;
  const facts: readonly (readonly [string, string])[] = [
    ["Took", seconds(tree.duration)],
    ["Critical path", `${seconds(critical)}${waiting > 0 ? `, waited ${seconds(waiting)}` : ""}`],
    ["Spans", `${count(trace.spans.length)}${trace.more_spans ? " and more" : ""}`],
    ["Log lines", `${count(trace.logs.length)}${trace.more_logs ? " and more" : ""}`],
    ["Services", services.length > 4 ? count(services.length) : services.join(", ")],
  ];
  return (
    <div className="grid grid-cols-1 gap-3">
      <div className="min-w-0">
        <p className="text-muted text-xs">
          <Link to="/traces" className="hover:text-ink hover:underline">
            Traces
          </Link>{" "}
          / <span className="wrap-anywhere font-mono">{trace.trace_id}</span>
        </p>
        <h1 className="wrap-anywhere font-semibold text-xl tracking-tight">
          {root?.name || "A trace without spans"}{" "}
          {root?.origin.service && <span className="font-normal text-muted">{root.origin.service}</span>}
        </h1>
      </div>
      <dl className="flex flex-wrap gap-x-8 gap-y-2">
        {facts.map(([term, value]) => (
          <div key={term}>
            <dt className="text-muted text-xs">{term}</dt>
            <dd className="wrap-anywhere font-medium tabular-nums">{value}</dd>
          </div>
        ))}
        <div>
          <dt className="text-muted text-xs">Errors</dt>
          <dd className={`font-medium tabular-nums ${errors > 0 ? "text-bad" : ""}`}>{count(errors)}</dd>
        </div>
        <div>
          <dt className="text-muted text-xs">Began</dt>
          <dd className="font-medium">
            <Time at={new Date(tree.begin).toISOString()} style="millisecond" />
          </dd>
        </div>
      </dl>
      <div className="flex flex-wrap gap-1.5">
        <Link
          to="/logs"
          search={{
            q: `trace_id:${trace.trace_id}`,
            ...searchOf(between(begin - 60, begin + tree.duration + 60)),
          }}
          className={LINK}
        >
          Its log lines
        </Link>
        {trace.jobs.slice(0, JOBS).map(({ job_id, status }) => (
          <ThingLink key={job_id} to={jobPath(job_id)}>
            Job {job_id}
            {status ? `, ${status}` : ""}
          </ThingLink>
        ))}
        {(trace.jobs.length > JOBS || trace.more_jobs) && (
          <span className="self-center text-muted text-xs">and more jobs</span>
        )}
      </div>
    </div>
  );
}
