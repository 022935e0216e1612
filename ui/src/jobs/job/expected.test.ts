import { describe, expect, it } from "vitest";
import type { Answer } from "../../metrics/answer";
import { comparison, doneBy, outlook, usualExpr, usualOf } from "./expected";
import { at, job, stage } from "./jobs.fixture";

const NOW = Date.parse(at(100));
const USUAL = new Map([["ocr", { p50: 10, p95: 30 }]]);
const running = (since: number) => job({ status: "running", stages: [stage("ocr", 0, since, null)] });

describe("what is usual of a stage", () => {
  it("is read from quantiles, and from nothing else", () => {
    const sample = (stage: string, q: string, value: string) => ({
      metric: { stage, q },
      value: [0, value] as const,
    });
    const answer: Answer = {
      data: {
        resultType: "vector",
        result: [sample("ocr", "0.5", "10"), sample("ocr", "0.95", "30"), sample("new", "0.5", "NaN")],
      },
    };
    expect(usualOf(answer)).toEqual(USUAL);
  });

  it("is asked for by names that are no patterns", () => {
    expect(usualExpr(['a.b"', "c|d"])).toContain('stage=~"a\\\\.b\\"|c\\\\|d"');
  });

  it("tells of a stage that takes longer than 95 % of its like", () => {
    expect(comparison({ ...stage("ocr", 0, 0, 31) }, USUAL.get("ocr"))).toEqual({
      tone: "warn",
      text: "p50 10 s, p95 30 s",
    });
    expect(comparison(stage("ocr", 0, 0, 29), USUAL.get("ocr"))?.tone).toBe("idle");
    expect(comparison(stage("ocr", 0, 0, 29), undefined)).toBeNull();
  });

  it("foretells when a job is done: by its own word, or by its stage", () => {
    expect(doneBy({ ...running(95), eta_seconds: 60 }, USUAL, NOW)).toBe(Date.parse(at(160)));
    expect(doneBy(running(95), USUAL, NOW)).toBe(Date.parse(at(125)));
    expect(doneBy({ ...running(95), status: "completed" }, USUAL, NOW)).toBeNull();
    expect(outlook(running(95), USUAL, NOW)).toBe("its stage is done within 25 s, as 95 % of its like are");
    expect(outlook(running(50), USUAL, NOW)).toBe("its stage runs 20 s longer than 95 % of its like");
  });
});
