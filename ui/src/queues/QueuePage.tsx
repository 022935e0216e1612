import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ApiError } from "../api/client";
import type { QueueDetail } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { JobsLink } from "../components/EntityLink";
import { Empty, Failure, Loading } from "../components/Notices";
import { PageHead } from "../components/PageHead";
import { Panel } from "../components/Panel";
import { Stat, Stats } from "../components/Stat";
import { TONE_SOFT } from "../components/tone";
import { count, rate, ratio, seconds } from "../format/format";
import { overviewQuery } from "../overview/queries";
import { workersQuery } from "../workers/queries";
import { WorkersTable } from "../workers/WorkersTable";
import { healthOf, waited } from "./health";
import { QueueCharts } from "./QueueCharts";
import { queueQuery } from "./queries";
import { Tasks } from "./Tasks";
import { Troubles } from "./Troubles";
import { Waits } from "./Waits";

const route = getRouteApi("/shell/queues/$name");

/** One queue: what waits in it, what comes and goes, who takes from it, and what is stuck. */
export function QueuePage() {
  const { name } = route.useParams();
  const query = useQuery(queueQuery(name));
  if (query.data) return <Whole queue={query.data} />;
  return (
    <div className="grid grid-cols-1 gap-5">
      <PageHead title={name} above={<Above />} />
      {query.error instanceof ApiError && query.error.status === 404 ? (
        <Empty title="There is no such queue">
          It is not among those that are watched, and no job in memory names it.
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
    <Link to="/queues" className="underline underline-offset-2 hover:text-ink">
      Queues
    </Link>
  );
}

function Whole({ queue }: { readonly queue: QueueDetail }) {
  const workers = useQuery(workersQuery);
  const bottleneck = useQuery(overviewQuery).data?.bottleneck;
  const known = workers.data?.items ?? [];
  const health = healthOf(queue, known, bottleneck);
  const takers = known.filter(({ queues }) => queues.includes(queue.queue));
  return (
    <div className="grid grid-cols-1 gap-5">
      <PageHead
        title={queue.queue}
        above={<Above />}
        badge={<Badge tone={health.tone}>{health.word}</Badge>}
        aside={
          <JobsLink of="queue" id={queue.queue}>
            All its jobs
          </JobsLink>
        }
      >
        {queue.observed
          ? `In ${queue.system}, looked at `
          : "Known by the events of its jobs alone, last heard of "}
        <Ago time={queue.time} />.
      </PageHead>
      {health.reason !== "" && health.tone !== "idle" && (
        <p className={`rounded-lg px-3 py-2 ${TONE_SOFT[health.tone]}`}>{health.reason}</p>
      )}
      <QueueStats queue={queue} />
      <Troubles queue={queue.queue} />
      <QueueCharts queue={queue.queue} />
      <Waits queue={queue.queue} />
      <Tasks queue={queue} />
      <Panel title="Its workers" aside={`${count(takers.length)} take from it`}>
        {takers.length > 0 ? (
          <WorkersTable label="Workers of this queue" workers={takers} />
        ) : workers.error && !workers.data ? (
          <Failure error={workers.error} retry={() => void workers.refetch()} />
        ) : (
          <Empty title="No worker has said that it takes from this queue">
            Workers name their queues in their heartbeats: the event worker.heartbeat to POST /api/v1/events.
          </Empty>
        )}
      </Panel>
    </div>
  );
}

function QueueStats({ queue }: { readonly queue: QueueDetail }) {
  const { depth } = queue;
  const dead = depth.dead ?? 0;
  return (
    <Stats>
      <Stat term="Waiting" value={count(depth.pending ?? 0)} more={`oldest ${seconds(waited(queue))}`} />
      <Stat
        term="In work"
        value={count(depth.processing ?? 0)}
        more={<Oldest queue={queue} state="processing" />}
      />
      {(depth.delayed ?? 0) > 0 && <Stat term="Delayed" value={count(depth.delayed)} />}
      <Stat
        term="Dead"
        value={<span className={dead > 0 ? "text-bad" : ""}>{count(dead)}</span>}
        more={dead > 0 ? <Oldest queue={queue} state="dead" /> : undefined}
      />
      <Stat term="Arrive" value={rate(queue.arrival_rate)} more={`${count(queue.enqueued_total)} in all`} />
      <Stat term="Done" value={rate(queue.completion_rate)} more={`${count(queue.completed_total)} in all`} />
      <Stat term="Empty in" value={seconds(queue.drain_seconds)} more="if no more arrives" />
      <Stat
        term="Done well"
        value={ratio(queue.completion_ratio, 1)}
        more={`${count(queue.failed_total)} failed in all`}
      />
    </Stats>
  );
}

function Oldest({ queue, state }: { readonly queue: QueueDetail; readonly state: string }) {
  const age = queue.oldest_age_seconds[state];
  return <>{(queue.depth[state] ?? 0) > 0 && age !== undefined ? `oldest ${seconds(age)}` : "none"}</>;
}
