import { describe, expect, it } from "vitest";
import { at, attempt, job, stage } from "./jobs.fixture";
import { rowsOf, wholeOf } from "./rows";

const NOW = Date.parse(at(100));
const ids = (change: Parameters<typeof job>[0]) => rowsOf(job(change), NOW).map(({ id }) => id);

describe("rows of a waterfall", () => {
  it("stack attempts, each with its stages below it", () => {
    const attempts = [{ ...attempt(0, 0, 10, 20), outcome: "retried" }, attempt(1, 20, 30, 60)];
    const stages = [stage("extract", 0, 11, 19), stage("extract", 1, 31, 40), stage("chunk", 1, 40, 50)];
    expect(ids({ attempts, stages })).toEqual(["attempt-0", "stage-0", "attempt-1", "stage-1", "stage-2"]);
    expect(rowsOf(job({ attempts, stages }), NOW)[0]).toMatchObject({
      tone: "warn",
      queued: { start: Date.parse(at(0)), end: Date.parse(at(10)) },
      run: { start: Date.parse(at(10)), end: Date.parse(at(20)) },
    });
  });

  it("give a stage that names no attempt to the one that ran when it began", () => {
    const attempts = [attempt(0, 0, 10, 20), attempt(1, 20, 30, 60)];
    expect(ids({ attempts, stages: [stage("late", null, 35, 40), stage("early", null, 12, 13)] })).toEqual([
      "attempt-0",
      "stage-1",
      "attempt-1",
      "stage-0",
    ]);
  });

  it("show stages whose attempt nothing is known of", () => {
    expect(ids({ stages: [stage("lone", 4, 1, 2)] })).toEqual(["stage-0"]);
  });

  it("go on until now where something runs, and not where only its end was never told", () => {
    const [running] = rowsOf(job({ status: "running", attempts: [attempt(0, 0, 10, null)] }), NOW);
    expect(running).toMatchObject({ state: "runs", tone: "note", run: { end: NOW } });
    const [over] = rowsOf(job({ status: "failed", attempts: [attempt(0, 0, 10, null)] }), NOW);
    expect(over).toMatchObject({ state: "no end was told", run: { end: Date.parse(at(60)) } });
  });

  it("let a job wait that no worker has taken, though no attempt was told of", () => {
    const [waiting] = rowsOf(job({ status: "pending" }), NOW);
    expect(waiting).toMatchObject({
      state: "waits",
      queued: { start: Date.parse(at(0)), end: NOW },
      run: null,
    });
    expect(waiting && wholeOf(waiting)).toEqual({ start: Date.parse(at(0)), end: NOW });
  });

  it("begin a stage of which only the end was told as long before as it took", () => {
    const [, row] = rowsOf(
      job({
        attempts: [attempt(0, 0, 1, 60)],
        stages: [{ ...stage("ocr", 0, null, 50), duration_seconds: 20 }],
      }),
      NOW,
    );
    expect(row?.run).toEqual({ start: Date.parse(at(30)), end: Date.parse(at(50)) });
  });

  it("never end before they begin, whatever clocks say", () => {
    const [row] = rowsOf(job({ attempts: [attempt(0, 30, 20, 10)] }), NOW);
    expect(row).toMatchObject({
      queued: { start: Date.parse(at(30)), end: Date.parse(at(30)) },
      run: { start: Date.parse(at(20)), end: Date.parse(at(20)) },
    });
  });
});
