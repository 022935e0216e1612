import { describe, expect, it } from "vitest";
import type { AlertsNow, Job, Overview, SystemMetric } from "../api/types";
import { withPart } from "../live/parts";
import { jobState } from "./jobs";
import { periodOf } from "./period";
import { withGaps } from "./series";
import { verdict } from "./verdict";

const none: AlertsNow = { critical: 0, error: 0, warning: 0, info: 0, acknowledged: 0, pending: 0 };

describe("the state of the whole", () => {
  it.each([
    [{}, "good", "Nothing is wrong"],
    [{ pending: 3 }, "good", "Nothing is wrong"],
    [{ acknowledged: 2 }, "good", "Nothing new is wrong, 2 acknowledged"],
    [{ info: 1 }, "note", "1 notice"],
    [{ warning: 2, info: 1 }, "warn", "2 warnings, 1 notice"],
    [{ critical: 1, error: 2, acknowledged: 1 }, "bad", "1 critical alert, 2 errors, 1 acknowledged"],
  ])("%o is %s", (alerts, tone, text) => expect(verdict({ ...none, ...alerts })).toEqual({ tone, text }));
});

describe("points of a chart", () => {
  const at = (second: number, cpu_usage: number) =>
    ({ timestamp: new Date(second * 1000).toISOString(), cpu_usage }) as SystemMetric;

  it("are joined while they follow each other, and apart where some are missing", () => {
    const metrics = [at(30, 1), at(60, 2), at(600, 3), at(630, 4)];
    expect(withGaps(metrics, (metric) => metric.cpu_usage, "hour")).toEqual([
      [30, 60, 90, 600, 630],
      [1, 2, null, 3, 4],
    ]);
    expect(withGaps([], () => 0, "day")).toEqual([[], []]);
  });
});

describe("the live stream", () => {
  const overview = { jobs: { running: 1 }, bottleneck: null } as unknown as Overview;

  it("puts a part in the place of the old one, and leaves the rest", () => {
    const next = withPart(overview, "jobs", '{"running":2}');
    expect(next).toEqual({ jobs: { running: 2 }, bottleneck: null });
    expect(overview.jobs.running).toBe(1);
  });

  it("is not believed when it sends no JSON", () => expect(withPart(overview, "jobs", "{")).toBeNull());
});

it("a period that we do not know is an hour", () => {
  expect(["day", "decade", undefined, 7].map(periodOf)).toEqual(["day", "hour", "hour", "hour"]);
});

it("a job says what is wrong with it rather than where it is in its life", () => {
  const job = (status: string, verdict: string) => ({ status, judgement: { verdict, reason: "" } }) as Job;
  expect(jobState(job("running", "fine"))).toEqual({ tone: "note", text: "running" });
  expect(jobState(job("running", "owner_gone"))).toEqual({ tone: "warn", text: "owner gone" });
});
