import { describe, expect, it } from "vitest";
import type { Queue, StageNow, WorkerNow } from "../../api/types";
import { lanesOf, MAX_LANES } from "./lanes";

const queue = (name: string, pending = 0) => ({ queue: name, depth: { pending } }) as unknown as Queue;
const worker = (id: string, queues: string[], status = "online") =>
  ({ worker_id: id, queues, status }) as unknown as WorkerNow;
const stage = (name: string, queues: string[]) => ({ stage: name, queues }) as unknown as StageNow;

function picture(queues: Queue[], workers: WorkerNow[] = [], stages: StageNow[] = []) {
  return {
    queues: { items: queues, total: queues.length },
    workers: { items: workers } as never,
    stages: { items: stages, total: stages.length },
    bottleneck: null,
  };
}

describe("the picture of the pipeline", () => {
  it("puts workers and stages beside their queue, and strays into a lane of their own", () => {
    const { lanes } = lanesOf(
      picture(
        [queue("ocr"), queue("llm")],
        [worker("both", ["ocr", "llm"]), worker("stray", []), worker("gone", ["ocr"], "stopped")],
        [stage("parse", ["ocr"]), stage("chat", ["llm", "ocr"]), stage("odd", [])],
      ),
    );
    const shape = lanes.map((lane) => [
      lane.queue?.queue ?? null,
      lane.workers.map((worker) => worker.worker_id),
      lane.stages.map((stage) => stage.stage),
    ]);
    expect(shape).toEqual([
      ["ocr", ["both"], ["parse"]],
      ["llm", ["both"], ["chat"]],
      [null, ["stray"], ["odd"]],
    ]);
  });

  it("has no lane of strays when there are none", () => {
    expect(lanesOf(picture([queue("ocr")])).lanes).toHaveLength(1);
    expect(lanesOf(picture([])).lanes).toEqual([]);
  });

  it("shows the queues with the most to do when there are too many, in their own order", () => {
    const queues = Array.from({ length: MAX_LANES + 2 }, (_, index) => queue(`q${index}`, index));
    const { lanes, more } = lanesOf({
      ...picture(queues),
      bottleneck: { queue: "q0", reason: "", stage: null },
    });
    expect(more).toBe(2);
    expect(lanes.map((lane) => lane.key)).toEqual(["q0", "q3", "q4", "q5", "q6", "q7", "q8", "q9"]);
    expect(lanes[0]?.isBottleneck).toBe(true);
  });
});
