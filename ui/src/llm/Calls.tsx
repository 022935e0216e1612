import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { LlmCall } from "../api/types";
import { jobPath, tracePath } from "../app/places";
import { Badge } from "../components/Badge";
import { Button } from "../components/Button";
import { Choice } from "../components/Choice";
import { DataTable } from "../components/DataTable";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import type { Column } from "../components/sorting";
import { Time } from "../components/Time";
import { count, seconds } from "../format/format";
import { useTimeRange } from "../time/useTimeRange";
import { CALLS, callsQuery } from "./queries";

interface Props {
  readonly model: string | undefined;
  readonly isFailed: boolean;
  readonly onFailed: (isFailed: boolean) => void;
  readonly onAll: () => void;
}

const WHICH = [
  { value: "all", text: "All", short: "All" },
  { value: "failed", text: "Failed", short: "Failed" },
] as const;
const LINK = "underline decoration-line-strong underline-offset-2 hover:decoration-ink";

const COLUMNS: readonly Column<LlmCall>[] = [
  { id: "time", head: "Answered", cell: ({ time }) => <Time at={time} style="millisecond" /> },
  { id: "end", head: "Ended", cell: (call) => <End call={call} /> },
  { id: "model", head: "Model", className: "max-w-56 truncate", cell: ({ model }) => model },
  { id: "operation", head: "Operation", cell: ({ operation }) => operation ?? "–" },
  {
    id: "job",
    head: "Job",
    className: "max-w-44 truncate font-mono text-[13px]",
    cell: ({ job_id }) =>
      job_id ? (
        <Link to={jobPath(job_id)} title={job_id} className={LINK}>
          {job_id}
        </Link>
      ) : (
        "–"
      ),
  },
  { id: "stage", head: "Stage", cell: ({ stage }) => stage ?? "–" },
  { id: "sent", head: "Sent", isNumber: true, cell: ({ input_tokens }) => count(input_tokens) },
  { id: "received", head: "Received", isNumber: true, cell: ({ output_tokens }) => count(output_tokens) },
  {
    id: "first",
    head: "First token",
    isNumber: true,
    cell: ({ time_to_first_token_seconds }) => seconds(time_to_first_token_seconds),
  },
  { id: "took", head: "Took", isNumber: true, cell: ({ duration_seconds }) => seconds(duration_seconds) },
  { id: "worker", head: "Worker", cell: ({ worker_id }) => worker_id ?? "–" },
  {
    id: "trace",
    head: "Trace",
    cell: ({ trace_id }) =>
      trace_id ? (
        <Link to={tracePath(trace_id)} title={trace_id} className={`${LINK} font-mono text-[13px]`}>
          {trace_id.slice(0, 8)}
        </Link>
      ) : (
        "–"
      ),
  },
  {
    id: "error",
    head: "Error",
    className: "max-w-96 truncate text-muted",
    cell: ({ error_message }) => <span title={error_message ?? undefined}>{error_message ?? ""}</span>,
  },
];

/** How a call ended: badly, cut off at its length, or as it should. */
function End({ call: { error_message, finish_reason } }: { readonly call: LlmCall }) {
  if (error_message != null) return <Badge tone="bad">failed</Badge>;
  if (finish_reason === "length") return <Badge tone="warn">length</Badge>;
  return <Badge tone="idle">{finish_reason ?? "ok"}</Badge>;
}

/** Each call, newest first. */
export function Calls({ model, isFailed, onFailed, onAll }: Props) {
  const range = useTimeRange();
  const query = useQuery(callsQuery(range, model, isFailed));
  const calls = query.data ?? [];
  const aside = calls.length === CALLS ? `the newest ${count(CALLS)}` : `${count(calls.length)} in this time`;
  return (
    <Panel title="Calls, newest first" aside={query.data ? aside : undefined}>
      <div className="flex flex-wrap items-center gap-3 px-4 pb-2">
        <Choice
          label="Which calls"
          value={isFailed ? "failed" : "all"}
          options={WHICH}
          onChange={(which) => onFailed(which === "failed")}
        />
        {model !== undefined && (
          <p className="flex min-w-0 items-center gap-2">
            <span className="truncate">of {model} alone</span>
            <Button onClick={onAll}>All models</Button>
          </p>
        )}
      </div>
      {query.error && !query.data ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <div className="p-4">
          <Loading className="h-64" />
        </div>
      ) : calls.length === 0 ? (
        <Empty title="No such call in this time">Choose a longer time, or all models and all calls.</Empty>
      ) : (
        <DataTable label="Calls" columns={COLUMNS} rows={calls} rowKey={({ event_id }) => event_id} />
      )}
    </Panel>
  );
}
