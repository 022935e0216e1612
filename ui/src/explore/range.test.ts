import { expect, it } from "vitest";
import { durationSeconds, RANGE_SECONDS, RANGES, rangeOver, stepOf } from "./range";

it("gives each range about 250 points, whole seconds apart", () => {
  expect(RANGES.map((range) => stepOf(RANGE_SECONDS[range]))).toEqual([4, 15, 90, 360, 2_520]);
  for (const range of RANGES) {
    const points = RANGE_SECONDS[range] / stepOf(RANGE_SECONDS[range]);
    expect(points).toBeGreaterThanOrEqual(200);
    expect(points).toBeLessThanOrEqual(250);
  }
});

it("has no step below a second", () => {
  expect([stepOf(10), stepOf(0)]).toEqual([1, 1]);
});

it.each([
  ["1h", 3_600],
  ["1d12h", 129_600],
  ["1w", 604_800],
  ["1m30s", 90],
  ["1500ms", 1.5],
  ["", null],
  ["1", null],
  ["h", null],
  ["1h 5m", null],
  ["5m1h", null],
  ["-1h", null],
])("reads the duration %j as %j seconds", (text, seconds) => expect(durationSeconds(text)).toBe(seconds));

it("takes the shortest range that holds a duration, and the longest for what none holds", () => {
  expect([1, 900, 901, 86_400, 604_800, 1e9].map(rangeOver)).toEqual(["15m", "15m", "1h", "24h", "7d", "7d"]);
});
