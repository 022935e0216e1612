import { describe, expect, it } from "vitest";
import type { Job } from "../api/types";
import { merged, ofEvents, ofJob, spentOf } from "./model";
import { dwellOf, summaryOf } from "./summary";

const at = (second: number) => new Date(second * 1000).toISOString();
const event = (second: number, action: string, more: object = {}) => ({
  time: at(second),
  action: `job.${action}`,
  job_id: "j",
  queue: "ocr",
  retry_count: 0,
  ...more,
});
const stored = ofEvents([
  event(0, "submitted", { kind: "extraction", pages: 12 }),
  event(2, "started", { submitted_at: at(0), worker_id: "w-1" }),
  event(5, "retried", { error_type: "Timeout", error_message: "page 3", memory_peak_bytes: "9" }),
  event(9, "started", { submitted_at: at(0), retry_count: 1, worker_id: "w-2" }),
  event(10, "completed", { submitted_at: at(0), retry_count: 1, memory_peak_bytes: 20 }),
  event(11, "submitted", { job_id: "k", queue: "llm", parent_id: "j" }),
]);

describe("jobs from stored events", () => {
  it("have their attempts, each with its wait, its run and its end", () => {
    expect(stored.map(({ id, status, kind, pages }) => [id, status, kind, pages])).toEqual([
      ["j", "completed", "extraction", 12],
      ["k", "pending", null, null],
    ]);
    const attempts = stored[0]?.attempts ?? [];
    expect(attempts.map(({ outcome, worker, error }) => [outcome, worker, error])).toEqual([
      ["retried", "w-1", "Timeout: page 3"],
      ["completed", "w-2", null],
    ]);
    // The second waited from the end of the first on, and not from the submission.
    expect(attempts.map((attempt) => spentOf(attempt, 0))).toEqual([
      { waited: 2_000, ran: 3_000 },
      { waited: 4_000, ran: 1_000 },
    ]);
  });

  it("that are told of by events without numbers or times are still jobs", () => {
    const [job] = ofEvents([{ job_id: "x", action: "job.completed", time: at(3) }, { action: "job.failed" }]);
    expect(job?.status).toBe("completed");
    expect(spentOf(job?.attempts[0] ?? expect.fail(), 9_000)).toEqual({ waited: 0, ran: 0 });
  });
});

describe("a document", () => {
  it("adds up what its jobs waited, ran and failed, as long as one is open until now", () => {
    const summary = summaryOf(stored, 20_000);
    expect(summary).toMatchObject({
      first: 0,
      last: 11_000,
      isOpen: true,
      attempts: 3,
      failures: 1,
      failed: 0,
      waited: 15_000,
      ran: 4_000,
      memoryPeak: 20,
      pages: 12,
    });
    expect(dwellOf(stored, 20_000).map(({ queue, jobs, waited, ran }) => [queue, jobs, waited, ran])).toEqual(
      [
        ["ocr", 1, 6_000, 4_000],
        ["llm", 1, 9_000, 0],
      ],
    );
    expect(summaryOf([], 0)).toMatchObject({ first: null, last: null, isOpen: false, memoryPeak: null });
  });

  it("takes a job from memory where it is there, as it knows more", () => {
    const job = {
      job_id: "k",
      status: "running",
      attempts: [{ number: 0, queued_at: at(11), started_at: at(12) }],
      judgement: { verdict: "no_heartbeat", reason: "its worker is silent" },
    } as unknown as Job;
    const all = merged([ofJob(job)], stored);
    expect(all.map(({ id, status, stuck }) => [id, status, stuck])).toEqual([
      ["j", "completed", ""],
      ["k", "running", "its worker is silent"],
    ]);
  });
});
