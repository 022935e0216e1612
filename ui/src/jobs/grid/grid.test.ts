import { describe, expect, it } from "vitest";
import type { Answer } from "../../metrics/answer";
import { durationSeconds, RANGES } from "../../time/range";
import { bucketsOf, gridExpr, gridOf } from "./grid";

describe("the grid of jobs", () => {
  it("has few enough buckets for each range, which begin at whole multiples", () => {
    for (const range of RANGES) {
      const { length, ends } = bucketsOf({
        start: 1_000_007,
        end: 1_000_007 + (durationSeconds(range) ?? 0),
      });
      expect(ends.length).toBeLessThanOrEqual(31);
      expect(ends.every((end) => end % length === 0)).toBe(true);
      expect(ends[0]).toBeGreaterThan(1_000_007);
      expect((ends[0] ?? 0) - length).toBeLessThanOrEqual(1_000_007);
    }
  });

  it("asks for what the list is filtered by, whatever its name", () => {
    expect(gridExpr({ kind: 'a"b', queue: undefined }, 120)).toBe(
      'sum by (kind, status) (increase(jobs_total{kind="a\\"b"}[120s]))',
    );
  });

  it("counts in each bucket how jobs ended, and leaves out kinds of which none did", () => {
    const series = (kind: string, status: string, ...values: [number, string][]) => ({
      metric: { kind, status },
      values,
    });
    const answer: Answer = {
      data: {
        resultType: "matrix",
        result: [
          series("few", "completed", [60, "1.04"]),
          series("many", "completed", [60, "10.2"], [120, "NaN"]),
          series("many", "failed", [120, "1.9"]),
          series("many", "retried", [120, "3"]),
          series("none", "completed", [60, "0"]),
          series("odd", "exploded", [60, "5"]),
        ],
      },
    };
    const rows = gridOf(answer, { length: 60, ends: [60, 120] });
    expect(
      rows.map(({ kind, completed, failed, retried, most }) => [kind, completed, failed, retried, most]),
    ).toEqual([
      ["many", 10, 2, 3, 10],
      ["few", 1, 0, 0, 1],
    ]);
    expect(rows[0]?.cells[1]).toEqual({ start: 60, end: 120, completed: 0, failed: 2, retried: 3 });
  });
});
