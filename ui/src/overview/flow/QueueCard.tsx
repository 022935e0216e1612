import type { Queue } from "../../api/types";
import { Badge } from "../../components/Badge";
import { QueueLink } from "../../components/EntityLink";
import { brief, count, rate } from "../../format/format";
import { waited } from "../../queues/health";
import { Metric } from "./Metric";

/** A queue: what waits in it, how long, what comes and goes. */
export function QueueCard({
  queue,
  isBottleneck,
}: {
  readonly queue: Queue;
  readonly isBottleneck: boolean;
}) {
  const dead = queue.depth.dead ?? 0;
  const delayed = queue.depth.delayed ?? 0;
  return (
    <article
      aria-label={`Queue ${queue.queue}`}
      className={`grid content-start gap-3 rounded-lg border p-3 ${isBottleneck ? "border-warn" : "border-line"}`}
    >
      <div className="flex items-center justify-between gap-2">
        <h3 className="truncate font-medium">
          <QueueLink id={queue.queue} />
        </h3>
        {queue.ok ? (
          isBottleneck ? (
            <Badge tone="warn">bottleneck</Badge>
          ) : (
            <span className="text-muted text-xs">{queue.system}</span>
          )
        ) : (
          <Badge tone="bad">not readable</Badge>
        )}
      </div>
      <div className="flex items-baseline gap-4">
        <p>
          <span className="font-semibold text-2xl tabular-nums tracking-tight">
            {count(queue.depth.pending ?? 0)}
          </span>
          <span className="pl-1.5 text-muted">waiting</span>
        </p>
        <p className="text-muted text-xs">
          <span className="tabular-nums">{count(queue.depth.processing ?? 0)}</span> in work
          {delayed > 0 && <>, {count(delayed)} delayed</>}
          {dead > 0 && (
            <>
              , <span className="text-bad">{count(dead)} dead</span>
            </>
          )}
        </p>
      </div>
      <dl className="grid grid-cols-4 gap-x-3 text-[13px]">
        <Metric term="Oldest" value={brief(waited(queue))} />
        <Metric term="In" value={rate(queue.arrival_rate)} />
        <Metric term="Out" value={rate(queue.completion_rate)} />
        <Metric term="Empty in" value={brief(queue.drain_seconds)} />
      </dl>
    </article>
  );
}
