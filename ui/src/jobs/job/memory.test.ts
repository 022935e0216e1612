import { expect, it } from "vitest";
import { at, attempt, job, stage } from "./jobs.fixture";
import { componentEventsOf, componentSums, memoryOf } from "./memory";

const MIB = 1024 ** 2;
const held = (start: number, end: number, peak: number) => ({
  memory_rss_start_bytes: start * MIB,
  memory_rss_end_bytes: end * MIB,
  memory_peak_bytes: peak * MIB,
});
const event = (second: number, action: string, delta: number | null) => ({
  time: at(second),
  action,
  component: "embedder",
  stage: "embed",
  worker_id: "w-1",
  memory_rss_bytes: 300 * MIB,
  memory_delta_bytes: delta,
  gpu_memory_bytes: null,
});

it("draws what stages and components held, a line for each attempt", () => {
  const events = componentEventsOf([event(12, "component.loaded", 200 * MIB)]);
  const memory = memoryOf(
    job({
      attempts: [attempt(0, 0, 10, 20), attempt(1, 20, 30, 60)],
      stages: [
        { ...stage("embed", 0, 10, 20), ...held(100, 120, 350), worker_id: "w-1" },
        { ...stage("embed", 1, 30, 40), ...held(90, 95, 100), worker_id: "w-1" },
      ],
    }),
    events,
    Date.parse(at(100)),
  );
  expect(memory.lines.map((line) => line.map(({ bytes }) => bytes / MIB))).toEqual([
    [100, 300, 120],
    [90, 95],
  ]);
  expect([memory.highest / MIB, memory.gpu, memory.highestGpu]).toEqual([350, [], 0]);
});

it("says what a component did not give back, where it was given back and both sides told", () => {
  const sums = (...events: ReturnType<typeof event>[]) => componentSums(componentEventsOf(events))[0];
  const loaded = event(1, "component.loaded", 480 * MIB);
  expect(sums(loaded, event(2, "component.unloaded", -400 * MIB))).toMatchObject({
    taken: 480 * MIB,
    returned: 400 * MIB,
    kept: 80 * MIB,
  });
  expect(sums(loaded)).toMatchObject({ loads: 1, unloads: 0, kept: null });
  expect(sums(loaded, event(2, "component.unloaded", null))?.kept).toBeNull();
});

it("takes no row that says no time or no component", () => {
  expect(componentEventsOf([{}, { time: "soon", component: "x" }])).toEqual([]);
});
