import { useQuery } from "@tanstack/react-query";
import type { Queue } from "../api/types";
import { Badge } from "../components/Badge";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { Stat } from "../components/Stat";
import { brief, count, rate, ratio, seconds } from "../format/format";
import { MetricPanel } from "../metrics/MetricPanel";
import { matchers } from "../metrics/quantiles";
import { llmQueuesQuery } from "./queries";

/** What waits for models: the queues whose jobs call them. */
export function LlmQueue() {
  const query = useQuery(llmQueuesQuery);
  const queues = query.data ?? [];
  if (queues.length === 0) {
    return (
      <Panel title="What waits for models">
        {query.error ? (
          <Failure error={query.error} retry={() => void query.refetch()} />
        ) : !query.data ? (
          <div className="p-4">
            <Loading className="h-20" />
          </div>
        ) : (
          <Empty title="No queue is known whose jobs call models">
            Calls name their job as <code>job_id</code>, and jobs their queue.
          </Empty>
        )}
      </Panel>
    );
  }
  return queues.map((queue) => <One key={queue.queue} queue={queue} />);
}

function One({ queue }: { readonly queue: Queue }) {
  const chosen = matchers({ queue: queue.queue });
  const waiting = queue.depth.pending ?? 0;
  return (
    <div className="grid grid-cols-1 gap-5 lg:grid-cols-3">
      <Panel
        title={`Waiting for models: ${queue.queue}`}
        aside={queue.ok ? undefined : <Badge tone="bad">not readable</Badge>}
      >
        <dl className="grid grid-cols-2 gap-x-4 gap-y-3 px-4 pt-1 pb-4">
          <Stat term="Waiting" value={count(waiting)} />
          <Stat term="In work" value={count(queue.depth.processing)} />
          <Stat term="Oldest" value={waiting > 0 ? seconds(queue.oldest_age_seconds.pending) : "–"} />
          <Stat term="Empty in" value={brief(queue.drain_seconds)} />
          <Stat term="In" value={rate(queue.arrival_rate)} />
          <Stat term="Out" value={rate(queue.completion_rate)} />
          <Stat term="Ended well" value={ratio(queue.completion_ratio, 1)} />
          <Stat term="Dead" value={count(queue.depth.dead ?? 0)} />
        </dl>
      </Panel>
      <MetricPanel
        title={`Tasks of ${queue.queue}`}
        expr={`sum by (state) (queue_depth{${chosen}})`}
        name={(labels) => labels.state ?? ""}
        show={count}
        top={10}
      />
      <MetricPanel
        title={`Oldest that waits in ${queue.queue}`}
        expr={`queue_oldest_age_seconds{state="pending",${chosen}}`}
        name={() => "the oldest"}
        show={seconds}
        top={1}
      />
    </div>
  );
}
