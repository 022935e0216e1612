import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Worker } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { JobLink, JobsLink } from "../components/EntityLink";
import { Empty, Failure, Loading } from "../components/Notices";
import { PageHead } from "../components/PageHead";
import { useTimeRange } from "../time/useTimeRange";
import { Processes } from "./Processes";
import { exitsOf, marksOf } from "./processes";
import { exitsQuery, isUnknown, processesQuery, workerQuery } from "./queries";
import { toneOfWorker } from "./status";
import { WorkerCharts } from "./WorkerCharts";
import { WorkerFacts } from "./WorkerFacts";
import { WorkerJobs } from "./WorkerJobs";

const route = getRouteApi("/shell/workers/$id");

/** One worker: what it does, how it has done, and which processes it was. */
export function WorkerPage() {
  const { id } = route.useParams();
  const query = useQuery(workerQuery(id));
  if (query.data) return <Whole worker={query.data} />;
  return (
    <div className="grid grid-cols-1 gap-5">
      <PageHead title={id} above={<Above />} />
      {isUnknown(query.error) ? (
        <Empty title="There is no such worker">
          It has another id, or has been gone for so long that it was forgotten.
        </Empty>
      ) : query.error ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : (
        <Loading className="h-64" />
      )}
    </div>
  );
}

function Above() {
  return (
    <Link to="/workers" className="underline underline-offset-2 hover:text-ink">
      Workers
    </Link>
  );
}

function Whole({ worker }: { readonly worker: Worker }) {
  const range = useTimeRange();
  const id = worker.worker_id;
  const processes = useQuery(processesQuery(id, range));
  // Of all hosts: it may have run on others before.
  const exits = useQuery(exitsQuery(null, range));
  const its = useMemo(
    () => exitsOf(id, processes.data ?? [], exits.data ?? []),
    [id, processes.data, exits.data],
  );
  const marks = useMemo(() => marksOf(processes.data ?? [], its), [processes.data, its]);
  return (
    <div className="grid grid-cols-1 gap-5">
      <PageHead
        title={id}
        above={<Above />}
        badge={
          <>
            <Badge tone={toneOfWorker(worker.status)}>{worker.status}</Badge>
            {worker.is_healthy === false && <Badge tone="warn">says it is not healthy</Badge>}
          </>
        }
        aside={
          <JobsLink of="worker" id={id}>
            All its jobs
          </JobsLink>
        }
      >
        <Doing worker={worker} />
      </PageHead>
      <WorkerFacts worker={worker} />
      <WorkerCharts worker={worker} marks={marks} />
      <WorkerJobs id={id} />
      <Processes worker={worker} processes={processes} exits={its} />
    </div>
  );
}

function Doing({ worker }: { readonly worker: Worker }) {
  const active = worker.active_tasks ?? 0;
  if (worker.status === "stopped")
    return (
      <>
        It stopped <Ago time={worker.stopped_at} />
        {worker.stop_reason ? `: ${worker.stop_reason}` : "."}
      </>
    );
  return (
    <>
      Last heartbeat <Ago time={worker.last_heartbeat_at} />;{" "}
      {worker.job_id ? (
        <>
          {worker.status === "online" ? "works" : "worked then"} on <JobLink id={worker.job_id} />
        </>
      ) : active > 0 ? (
        `works on ${active} tasks`
      ) : (
        "has nothing to do"
      )}
      .
    </>
  );
}
