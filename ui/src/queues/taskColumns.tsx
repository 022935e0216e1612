// The columns of a queue's tasks.

import type { Job, Task } from "../api/types";
import { Badge } from "../components/Badge";
import { DocumentLink, JobLink, WorkerLink } from "../components/EntityLink";
import type { Column } from "../components/sorting";
import { bytes, count, decimal, seconds } from "../format/format";
import { jobState } from "../overview/jobs";
import type { TASK_COLUMNS } from "./address";

/** A task, and its job where one with its id is known. */
export interface KnownTask extends Task {
  readonly job: Job | undefined;
}

interface Choosing {
  readonly chosen: ReadonlySet<string>;
  readonly toggle: (id: string) => void;
}

type Named = Column<KnownTask> & {
  readonly id: (typeof TASK_COLUMNS)[number] | "choose" | "verdict" | "document";
};

/** With boxes to choose some, where something can be done with them. */
export function taskColumns(choosing: Choosing | null): readonly Column<KnownTask>[] {
  return choosing ? [boxes(choosing), ...COLUMNS] : COLUMNS;
}

function boxes({ chosen, toggle }: Choosing): Named {
  return {
    id: "choose",
    head: <span className="sr-only">Chosen</span>,
    cell: ({ id }) => (
      <label className="grid size-6 cursor-pointer place-items-center">
        <input
          type="checkbox"
          aria-label={`Choose ${id}`}
          checked={chosen.has(id)}
          onChange={() => toggle(id)}
          className="size-4 accent-ink"
        />
      </label>
    ),
  };
}

const COLUMNS: readonly Named[] = [
  {
    id: "position",
    head: "Place",
    cell: ({ position }) => (position == null ? "–" : count(position + 1)),
    sort: ({ position }) => position,
    isNumber: true,
  },
  {
    id: "id",
    head: "Task",
    cell: ({ id }) => <JobLink id={id} />,
    sort: ({ id }) => id,
    className: "max-w-56 truncate",
  },
  {
    id: "kind",
    head: "Kind",
    cell: ({ kind, job }) => kind ?? job?.kind ?? "–",
    sort: ({ kind, job }) => kind ?? job?.kind,
    className: "max-w-40 truncate",
  },
  { id: "verdict", head: "Judgement", cell: ({ job }) => <Verdict job={job} /> },
  {
    id: "owner",
    head: "Owner",
    cell: ({ state, job }) => (state === "processing" ? <WorkerLink id={job?.worker_id} /> : "–"),
    sort: ({ state, job }) => (state === "processing" ? job?.worker_id : null),
    className: "max-w-40 truncate",
  },
  {
    id: "age",
    head: "Age",
    cell: ({ age_seconds }) => seconds(age_seconds),
    sort: ({ age_seconds }) => age_seconds,
    isNumber: true,
  },
  {
    id: "score",
    head: "Score",
    cell: ({ score }) => decimal(score),
    sort: ({ score }) => score,
    isNumber: true,
  },
  {
    id: "priority",
    head: "Priority",
    cell: ({ priority, job }) => decimal(priority ?? job?.priority),
    sort: ({ priority, job }) => priority ?? job?.priority,
    isNumber: true,
  },
  {
    id: "document",
    head: "Document",
    cell: ({ document_id, job }) => <DocumentLink id={document_id ?? job?.document_id} />,
    className: "max-w-48 truncate",
  },
  {
    id: "size",
    head: "Payload",
    cell: ({ payload_bytes }) => bytes(payload_bytes),
    sort: ({ payload_bytes }) => payload_bytes,
    isNumber: true,
  },
];

function Verdict({ job }: { readonly job: Job | undefined }) {
  if (!job || job.judgement.verdict === "fine")
    return <span className="text-muted">{job ? "fine" : "–"}</span>;
  const { tone, text } = jobState(job);
  return (
    <span title={job.judgement.reason}>
      <Badge tone={tone}>{text}</Badge>
    </span>
  );
}
