import { useQuery } from "@tanstack/react-query";
import { tracePath } from "../../../app/places";
import { DataTable } from "../../../components/DataTable";
import { Go } from "../../../components/EntityLink";
import { Empty } from "../../../components/Notices";
import type { Column } from "../../../components/sorting";
import { Time } from "../../../components/Time";
import { seconds } from "../../../format/format";
import type { JobDetail, JobSpan } from "../../types";
import { type Scope, traceQuery } from "../queries";
import { millis } from "../rows";
import { Part } from "./Part";

interface Props {
  readonly job: JobDetail;
  readonly scope: Scope;
}

const COLUMNS: readonly Column<JobSpan>[] = [
  { id: "time", head: "Began", cell: ({ time }) => <Time at={time} style="millisecond" /> },
  {
    id: "service",
    head: "Service",
    cell: ({ origin }) => origin.service ?? "–",
    className: "max-w-40 truncate",
  },
  {
    id: "name",
    head: "Operation",
    cell: ({ name, depth }) => (
      <span title={name} style={{ paddingLeft: `${Math.min(depth, 20) * 10}px` }}>
        {name}
      </span>
    ),
    className: "max-w-lg truncate",
  },
  { id: "kind", head: "Kind", cell: ({ kind }) => kind },
  { id: "took", head: "Took", isNumber: true, cell: ({ duration_seconds }) => seconds(duration_seconds) },
  {
    id: "critical",
    head: "On the critical path",
    isNumber: true,
    cell: ({ critical_seconds }) => (critical_seconds > 0 ? seconds(critical_seconds) : "–"),
  },
  {
    id: "status",
    head: "Status",
    cell: ({ status, status_message }) => (
      <span className={status === "error" ? "text-bad" : "text-muted"} title={status_message ?? undefined}>
        {status}
      </span>
    ),
  },
];

/** The spans of the job's trace, or those of the time that is chosen. */
export function Spans({ job, scope }: Props) {
  return (
    <Part query={useQuery(traceQuery(job.job_id))}>
      {(trace) => {
        const spans = (trace?.spans ?? []).filter((span) => scope === null || isWithin(span, scope));
        return (
          <>
            {trace && (
              <p className="px-4 pt-3 text-muted">
                Its trace as a whole: <Go to={tracePath(trace.trace_id)}>{trace.trace_id}</Go>
              </p>
            )}
            {spans.length > 0 ? (
              <DataTable
                label="Spans"
                columns={COLUMNS}
                rows={spans}
                rowKey={({ span_id }) => span_id}
                className="max-h-[50vh]"
              />
            ) : (
              <Empty title="No spans">
                {trace
                  ? "None of the trace’s spans is of this part of the job."
                  : "Spans come by OpenTelemetry (OTLP), and belong to a job whose events name their trace."}
              </Empty>
            )}
          </>
        );
      }}
    </Part>
  );
}

function isWithin({ time, duration_seconds }: JobSpan, scope: NonNullable<Scope>): boolean {
  const start = millis(time) ?? 0;
  return start <= scope.end && start + duration_seconds * 1000 >= scope.start;
}
