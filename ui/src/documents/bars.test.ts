import { expect, it } from "vitest";
import { barsOf } from "./bars";
import type { Attempt, DocumentJob } from "./model";

const attempt = (more: Partial<Attempt>): Attempt => ({
  number: 0,
  queuedAt: null,
  startedAt: null,
  endedAt: null,
  outcome: null,
  worker: null,
  error: null,
  ...more,
});
const bars = (...attempts: Attempt[]) =>
  barsOf({ attempts } as unknown as DocumentJob, 0, 100, 100, (time) => `${time} ms`);
const shape = (...attempts: Attempt[]) =>
  bars(...attempts).map(({ kind, tone, left, width }) => [kind, tone, left, Math.round(width * 100) / 100]);

it("draws waiting and running apart, and attempts one after another", () => {
  const first = attempt({ queuedAt: 0, startedAt: 20, endedAt: 50, outcome: "retried", error: "Timeout" });
  const second = attempt({ number: 1, queuedAt: 50, startedAt: 60, endedAt: 80, outcome: "completed" });
  expect(shape(first, second)).toEqual([
    ["wait", "idle", 0, 0.2],
    ["run", "warn", 0.2, 0.3],
    ["wait", "idle", 0.5, 0.1],
    ["run", "good", 0.6, 0.2],
  ]);
  expect(bars(first, second).map(({ words }) => words)).toEqual([
    "attempt 1 waited 20 ms",
    "attempt 1 ran 30 ms, failed, to be tried again: Timeout",
    "attempt 2 waited 10 ms",
    "attempt 2 ran 20 ms, completed",
  ]);
});

it("draws what has not ended until now", () => {
  expect(shape(attempt({ queuedAt: 40 }))).toEqual([["wait", "idle", 0.4, 0.6]]);
  expect(shape(attempt({ startedAt: 70 }))).toEqual([["run", "note", 0.7, 0.3]]);
  expect(shape(attempt({}))).toEqual([]);
});
