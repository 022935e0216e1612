// The picture of the pipeline: a lane for each queue, with the workers that take from it and the stages
// that its jobs pass through.

import type { Overview, Queue, StageNow, WorkerNow } from "../../api/types";

export interface Lane {
  readonly key: string;
  /** Null in the lane of what belongs to no queue that is shown. */
  readonly queue: Queue | null;
  readonly workers: readonly WorkerNow[];
  readonly stages: readonly StageNow[];
  readonly isBottleneck: boolean;
  /** The stage that holds the lane up. */
  readonly slowStage: string | null;
}

/** The most lanes; queues beyond are counted. */
export const MAX_LANES = 8;

type Picture = Pick<Overview, "queues" | "workers" | "stages" | "bottleneck">;

/** The lanes, and how many queues are not among them. */
export function lanesOf({ queues, workers, stages, bottleneck }: Picture): { lanes: Lane[]; more: number } {
  const shown = mostInNeed(queues.items, bottleneck?.queue);
  const names = new Set(shown.map((queue) => queue.queue));
  const lanes = shown.map((queue): Lane => {
    const isBottleneck = bottleneck?.queue === queue.queue;
    return {
      key: queue.queue,
      queue,
      workers: workers.items.filter((worker) => isThere(worker) && worker.queues.includes(queue.queue)),
      // A stage that several queues share stands in the first one's lane.
      stages: stages.items.filter((stage) => stage.queues.find((name) => names.has(name)) === queue.queue),
      isBottleneck,
      slowStage: isBottleneck ? (bottleneck?.stage ?? null) : null,
    };
  });
  const strayWorkers = workers.items.filter(
    (worker) => isThere(worker) && !worker.queues.some((name) => names.has(name)),
  );
  const strayStages = stages.items.filter((stage) => !stage.queues.some((name) => names.has(name)));
  if (strayWorkers.length + strayStages.length > 0) {
    lanes.push({
      key: "",
      queue: null,
      workers: strayWorkers,
      stages: strayStages,
      isBottleneck: false,
      slowStage: null,
    });
  }
  return { lanes, more: queues.total - shown.length };
}

/** One that said that it stopped is gone. */
function isThere(worker: WorkerNow): boolean {
  return worker.status !== "stopped";
}

/** The queues that are shown, in their own order: where there are too many, those with the most to do. */
function mostInNeed(queues: readonly Queue[], first: string | undefined): readonly Queue[] {
  if (queues.length <= MAX_LANES) return queues;
  const need = (queue: Queue) =>
    queue.queue === first ? Number.POSITIVE_INFINITY : (queue.depth.pending ?? 0);
  const chosen = new Set([...queues].sort((a, b) => need(b) - need(a)).slice(0, MAX_LANES));
  return queues.filter((queue) => chosen.has(queue));
}
