import { describe, expect, it } from "vitest";
import type { AlertsNow, Job, Overview } from "../api/types";
import { withPart } from "../live/parts";
import { jobState } from "./jobs";
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

describe("the live stream", () => {
  const overview = { jobs: { running: 1 }, bottleneck: null } as unknown as Overview;

  it("puts a part in the place of the old one, and leaves the rest", () => {
    const next = withPart(overview, "jobs", '{"running":2}');
    expect(next).toEqual({ jobs: { running: 2 }, bottleneck: null });
    expect(overview.jobs.running).toBe(1);
  });

  it("is not believed when it sends no JSON", () => expect(withPart(overview, "jobs", "{")).toBeNull());
});

it("a job says what is wrong with it rather than where it is in its life", () => {
  const job = (status: string, verdict: string) => ({ status, judgement: { verdict, reason: "" } }) as Job;
  expect(jobState(job("running", "fine"))).toEqual({ tone: "note", text: "running" });
  expect(jobState(job("running", "owner_gone"))).toEqual({ tone: "warn", text: "owner gone" });
});
