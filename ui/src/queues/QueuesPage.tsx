import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { sortingOf, sortingText } from "../address/sorting";
import type { Queue } from "../api/types";
import { Badge } from "../components/Badge";
import { DataTable } from "../components/DataTable";
import { QueueLink } from "../components/EntityLink";
import { Empty, Failure, Loading } from "../components/Notices";
import { PageHead } from "../components/PageHead";
import { Panel } from "../components/Panel";
import type { Column } from "../components/sorting";
import { brief, count, rate, seconds } from "../format/format";
import { MetricPanel } from "../metrics/MetricPanel";
import { overviewQuery } from "../overview/queries";
import { workersQuery } from "../workers/queries";
import { QUEUE_COLUMNS } from "./address";
import { type Health, healthOf, takersOf, waited } from "./health";
import { queuesQuery } from "./queries";

const route = getRouteApi("/shell/queues");

interface Row {
  readonly queue: Queue;
  readonly health: Health;
  readonly workers: number;
}

const dead = ({ queue }: Row) => queue.depth.dead ?? 0;

const COLUMNS: readonly (Column<Row> & { readonly id: (typeof QUEUE_COLUMNS)[number] })[] = [
  {
    id: "queue",
    head: "Queue",
    cell: ({ queue }) => <QueueLink id={queue.queue} />,
    sort: ({ queue }) => queue.queue,
    className: "max-w-64 truncate font-medium",
  },
  {
    id: "health",
    head: "Health",
    cell: ({ health }) => (
      <span title={health.reason}>
        <Badge tone={health.tone}>{health.word}</Badge>
      </span>
    ),
    sort: ({ health }) => health.rank,
  },
  number("pending", "Waiting", ({ queue }) => queue.depth.pending ?? 0),
  number("processing", "In work", ({ queue }) => queue.depth.processing ?? 0),
  number("delayed", "Delayed", ({ queue }) => queue.depth.delayed),
  {
    ...number("dead", "Dead", dead),
    cell: (row) => <span className={dead(row) > 0 ? "text-bad" : ""}>{count(row.queue.depth.dead)}</span>,
  },
  number("oldest", "Oldest waits", ({ queue }) => waited(queue), seconds),
  number("in", "Arrive", ({ queue }) => queue.arrival_rate, rate),
  number("out", "Done", ({ queue }) => queue.completion_rate, rate),
  number("drain", "Empty in", ({ queue }) => queue.drain_seconds, brief),
  number("workers", "Workers", ({ workers }) => workers),
];

function number(
  id: (typeof QUEUE_COLUMNS)[number],
  head: string,
  value: (row: Row) => number | null | undefined,
  show: (value: number | null | undefined) => string = count,
) {
  return { id, head, isNumber: true, sort: value, cell: (row: Row) => show(value(row)) };
}

const byQueue = (labels: Readonly<Record<string, string>>) => labels.queue ?? "queue";

/** All queues: what waits in each, how long, and whether as much goes as comes. */
export function QueuesPage() {
  const queues = useQuery(queuesQuery);
  const workers = useQuery(workersQuery);
  const bottleneck = useQuery(overviewQuery).data?.bottleneck;
  const { sort } = route.useSearch();
  const navigate = route.useNavigate();
  const rows = useMemo(() => {
    const known = workers.data?.items ?? [];
    return (queues.data?.items ?? []).map((queue) => ({
      queue,
      health: healthOf(queue, known, bottleneck),
      workers: takersOf(queue.queue, known).online,
    }));
  }, [queues.data, workers.data, bottleneck]);
  const waiting = rows.reduce((sum, { queue }) => sum + (queue.depth.pending ?? 0), 0);
  return (
    <div className="grid grid-cols-1 gap-5">
      <PageHead title="Queues">
        {queues.data &&
          `${count(waiting)} tasks wait in ${count(rows.length)} ${rows.length === 1 ? "queue" : "queues"}.`}
        {!queues.data && "What waits, how long, and whether as much goes as comes."}
      </PageHead>
      <Panel title="Now" aside="the collector's latest look, and what events tell">
        {queues.data ? (
          rows.length > 0 ? (
            <DataTable
              label="Queues"
              columns={COLUMNS}
              rows={rows}
              rowKey={({ queue }) => queue.queue}
              onOpen={({ queue }) => void navigate({ to: "/queues/$name", params: { name: queue.queue } })}
              sorting={sortingOf(sort, QUEUE_COLUMNS)}
              onSort={(sorting) => {
                const text = sortingText(sorting);
                void navigate({ search: text ? { sort: text } : {}, replace: true, resetScroll: false });
              }}
              className="max-h-[55vh]"
            />
          ) : (
            <Empty title="No queue is known yet">
              Name your queues in the section [[redis]] of the configuration, or send jobs with their queue as
              events to POST /api/v1/events.
            </Empty>
          )
        ) : queues.error ? (
          <Failure error={queues.error} retry={() => void queues.refetch()} />
        ) : (
          <div className="p-4">
            <Loading className="h-40" />
          </div>
        )}
      </Panel>
      <div className="grid grid-cols-1 gap-5 lg:grid-cols-2">
        <MetricPanel
          title="Tasks that wait"
          expr='sum by (queue) (queue_depth{state="pending"})'
          name={byQueue}
          show={count}
          top={10}
          legend
        />
        <MetricPanel
          title="How long the oldest waits"
          expr='max by (queue) (queue_oldest_age_seconds{state="pending"})'
          name={byQueue}
          show={seconds}
          top={1}
          legend
        />
        <MetricPanel
          title="What comes more than goes"
          expr="sum by (queue) (queue_arrival_rate) - sum by (queue) (queue_completion_rate)"
          name={byQueue}
          show={signedRate}
          legend
        />
        <MetricPanel
          title="Done well, of what ended"
          expr="queue_completion_ratio"
          name={byQueue}
          show={share}
          top={1}
          legend
        />
      </div>
    </div>
  );
}

function signedRate(value: number): string {
  return value < 0 ? `−${rate(-value)}` : rate(value);
}

function share(value: number): string {
  return `${Math.round(value * 100)} %`;
}
