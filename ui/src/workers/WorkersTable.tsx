import { useNavigate } from "@tanstack/react-router";
import type { Worker } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { DataTable } from "../components/DataTable";
import { JobLink, QueueLink, WorkerLink } from "../components/EntityLink";
import type { Column, Sorting } from "../components/sorting";
import { bytes, count, percent } from "../format/format";
import type { WORKER_COLUMNS } from "./address";
import { toneOfWorker } from "./status";

type Named = Column<Worker> & { readonly id: (typeof WORKER_COLUMNS)[number] };

const COLUMNS: readonly Named[] = [
  {
    id: "worker",
    head: "Worker",
    cell: (worker) => <WorkerLink id={worker.worker_id} />,
    sort: (worker) => worker.worker_id,
    className: "max-w-64 truncate font-medium",
  },
  {
    id: "status",
    head: "Status",
    cell: (worker) => (
      <span className="flex gap-1">
        <Badge tone={toneOfWorker(worker.status)}>{worker.status}</Badge>
        {worker.status === "online" && worker.is_healthy === false && <Badge tone="warn">not healthy</Badge>}
      </span>
    ),
    sort: (worker) => worker.status,
  },
  {
    id: "heartbeat",
    head: "Heartbeat",
    cell: (worker) => <Ago time={worker.last_heartbeat_at} />,
    // The oldest first, as of all that is sorted from the largest on.
    sort: (worker) => (worker.last_heartbeat_at ? -Date.parse(worker.last_heartbeat_at) : null),
    isNumber: true,
  },
  {
    id: "capability",
    head: "Can",
    cell: (worker) => worker.capability ?? "–",
    sort: (worker) => worker.capability,
  },
  {
    id: "queues",
    head: "Queues",
    cell: (worker) => <Queues names={worker.queues} />,
    sort: (worker) => worker.queues.join(", "),
    className: "max-w-56 truncate",
  },
  {
    id: "job",
    head: "Works on",
    cell: (worker) => <Work worker={worker} />,
    sort: (worker) => worker.active_tasks,
    className: "max-w-48 truncate",
  },
  number("memory", "Memory", (worker) => worker.memory_rss_bytes, bytes),
  number("cpu", "CPU", (worker) => worker.cpu_percent, percent),
  number("done", "Done", (worker) => worker.completed_tasks),
  number("failed", "Failed", (worker) => worker.failed_tasks),
  number("restarts", "Restarts", (worker) => worker.restarts),
  {
    ...number("crashes", "Crashes", (worker) => worker.crashes),
    cell: (worker) => <span className={worker.crashes > 0 ? "text-bad" : ""}>{count(worker.crashes)}</span>,
  },
  {
    id: "host",
    head: "Host",
    cell: (worker) => worker.host ?? "–",
    sort: (worker) => worker.host,
    className: "max-w-40 truncate",
  },
];

function number(
  id: Named["id"],
  head: string,
  value: (worker: Worker) => number | null | undefined,
  show: (value: number | null | undefined) => string = count,
): Named {
  return { id, head, isNumber: true, sort: value, cell: (worker) => show(value(worker)) };
}

function Queues({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return <>–</>;
  return names.map((name, place) => (
    <span key={name}>
      {place > 0 && ", "}
      <QueueLink id={name} />
    </span>
  ));
}

function Work({ worker }: { readonly worker: Worker }) {
  const active = worker.active_tasks ?? 0;
  if (worker.job_id) return <JobLink id={worker.job_id} />;
  if (worker.status !== "online") return <>–</>;
  return <span className="text-muted">{active > 0 ? `${count(active)} tasks` : "nothing"}</span>;
}

interface Props {
  readonly label: string;
  readonly workers: readonly Worker[];
  readonly sorting?: Sorting | null;
  readonly onSort?: (sorting: Sorting | null) => void;
}

/** Workers, and how they do. */
export function WorkersTable({ label, workers, sorting = null, onSort }: Props) {
  const navigate = useNavigate();
  return (
    <DataTable
      label={label}
      columns={COLUMNS}
      rows={workers}
      rowKey={(worker) => worker.worker_id}
      onOpen={(worker) => void navigate({ to: "/workers/$id", params: { id: worker.worker_id } })}
      sorting={sorting}
      {...(onSort ? { onSort } : {})}
    />
  );
}
