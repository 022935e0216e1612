import type { Overview } from "../../api/types";
import { Empty } from "../../components/Notices";
import { count } from "../../format/format";
import { Connector } from "./Connector";
import { type Lane, lanesOf } from "./lanes";
import { QueueCard } from "./QueueCard";
import { StageCard } from "./StageCard";
import { WorkersCard } from "./WorkersCard";

/** Queues, the workers that take from them, and the stages of the work, as a picture of what flows. */
export function Pipeline({ overview }: { readonly overview: Overview }) {
  const { lanes, more } = lanesOf(overview);
  if (lanes.length === 0) {
    return (
      <Empty title="No queue, worker or stage is known yet">
        Name your queues in the section [[redis]] of the configuration, or send events to POST /api/v1/events.
      </Empty>
    );
  }
  return (
    <div>
      {overview.bottleneck && (
        <p className="mx-4 mb-1 rounded-lg bg-warn-soft px-3 py-2 text-warn">
          <strong className="font-semibold">Bottleneck:</strong> {overview.bottleneck.reason}
        </p>
      )}
      <ul aria-label="Queues" className="divide-y divide-line">
        {lanes.map((lane) => (
          <li key={lane.key} className="p-4">
            <Row lane={lane} />
          </li>
        ))}
      </ul>
      {more > 0 && (
        <p className="border-line border-t px-4 py-2 text-muted text-xs">and {count(more)} more queues</p>
      )}
    </div>
  );
}

function Row({ lane }: { readonly lane: Lane }) {
  const { queue } = lane;
  return (
    <div className="grid gap-y-1 lg:grid-cols-[minmax(250px,290px)_44px_minmax(170px,200px)_44px_minmax(0,1fr)] lg:items-stretch">
      {queue ? (
        <QueueCard queue={queue} isBottleneck={lane.isBottleneck} />
      ) : (
        <div className="grid content-center px-1 text-muted">Not tied to a queue that is shown</div>
      )}
      <Connector flows={(queue?.depth.processing ?? 0) > 0 || lane.workers.some((worker) => worker.job_id)} />
      <WorkersCard workers={lane.workers} />
      <Connector flows={lane.stages.some((stage) => stage.running > 0)} />
      <div className="grid content-stretch gap-2 [grid-template-columns:repeat(auto-fill,minmax(150px,1fr))]">
        {lane.stages.map((stage) => (
          <StageCard key={stage.stage} stage={stage} isSlow={stage.stage === lane.slowStage} />
        ))}
        {lane.stages.length === 0 && (
          <p className="col-span-full grid min-h-16 place-items-center rounded-lg border border-line border-dashed px-3 text-center text-muted text-xs">
            No stage has been reported
          </p>
        )}
      </div>
    </div>
  );
}
