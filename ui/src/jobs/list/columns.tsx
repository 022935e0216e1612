import { Ago } from "../../components/Ago";
import { Badge } from "../../components/Badge";
import { JobLink } from "../../components/EntityLink";
import type { Column } from "../../components/sorting";
import { bytes, ratio, seconds } from "../../format/format";
import { jobState, jobWords } from "../../overview/jobs";
import type { ListedJob } from "../queries";
import type { Slot } from "./pages";

type JobSlot = Slot<ListedJob>;

/** A column of what is here; a row that is not yet holds its place. */
function column(
  id: string,
  head: string,
  cell: (job: ListedJob) => Column<JobSlot>["cell"] extends (row: JobSlot) => infer R ? R : never,
  more: Partial<Column<JobSlot>> = {},
): Column<JobSlot> {
  return { id, head, cell: ({ item }) => (item === null ? <Held /> : cell(item)), ...more };
}

function Held() {
  return <span aria-hidden="true" className="inline-block h-3 w-16 max-w-full rounded bg-raised" />;
}

export const JOB_COLUMNS: readonly Column<JobSlot>[] = [
  column("status", "Status", (job) => {
    const { tone, text } = jobState(job);
    return <Badge tone={tone}>{text}</Badge>;
  }),
  column("job", "Job", (job) => <JobLink id={job.job_id} />, { className: "max-w-72 truncate" }),
  column("kind", "Kind", (job) => job.kind ?? "–", { className: "max-w-40 truncate" }),
  column("queue", "Queue", (job) => job.queue ?? "–", { className: "max-w-40 truncate" }),
  column("worker", "Worker", (job) => job.worker_id ?? "–", { className: "max-w-40 truncate" }),
  column(
    "doing",
    "What it does",
    (job) => {
      const words = jobWords(job);
      return (
        <span title={words}>
          {job.status === "running" && job.progress != null && `${ratio(job.progress)}, `}
          {words}
        </span>
      );
    },
    { className: "max-w-80 truncate text-muted" },
  ),
  column("waited", "Waited", (job) => seconds(job.queue_wait_seconds), { isNumber: true }),
  column("took", "Took", (job) => seconds(job.duration_seconds), { isNumber: true }),
  column("memory", "Peak memory", (job) => bytes(job.memory_peak_bytes), { isNumber: true }),
  column("submitted", "Submitted", (job) => <Ago time={job.submitted_at ?? job.first_event_at} />, {
    isNumber: true,
  }),
];
