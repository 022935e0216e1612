import { describe, expect, it } from "vitest";
import type { Series } from "./answer";
import { graphOf, MAX_LINES, windowOf } from "./graph";

const window = { start: 100, end: 160, step: 15 };
const graph = (result: Series[]) => graphOf({ data: { resultType: "matrix", result } }, window);

describe("a graph", () => {
  it("ends where its range does, on a whole step", () => {
    const range = { from: "1970-01-01T01:00:07Z", to: "1970-01-01T02:00:07Z" };
    expect(windowOf(range, 0)).toEqual({ start: 3_600, end: 7_200, step: 15 });
    expect(windowOf({ from: "now-15m", to: "now" }, 1_003_900)).toEqual({ start: 100, end: 1_000, step: 4 });
  });

  it("has a gap where a series has no value that can be drawn", () => {
    const metric = { __name__: "queue_depth" };
    const { times, lines } = graph([
      { metric, values: [[100, "1"], [130, "NaN"], [145, "+Inf"], [160, "2.5"]] }, // biome-ignore format: a point each
    ]);
    expect(times).toEqual([100, 115, 130, 145, 160]);
    expect(lines).toEqual([{ name: "queue_depth", labels: metric, values: [1, null, null, null, 2.5] }]);
  });

  it("draws so many lines at most, and counts the others", () => {
    const many = Array.from({ length: MAX_LINES + 7 }, (_, place): Series => {
      return { metric: { place: `${place}` }, values: [[100, "1"]] };
    });
    const { lines, more } = graph(many);
    expect([lines.length, more]).toEqual([MAX_LINES, 7]);
  });

  it("has no line for a native histogram, but counts it", () => {
    const { lines, histograms } = graph([
      { metric: { a: "b" }, histograms: [[100, { count: "3", sum: "4.5" }]] },
    ]);
    expect([lines, histograms]).toEqual([[], 1]);
  });
});
