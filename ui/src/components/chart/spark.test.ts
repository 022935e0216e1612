import { expect, it } from "vitest";
import { gaugeTone } from "./Gauge";
import { arcPath, sparkPath } from "./spark";

it("draws values from zero to the highest, or to what is always shown", () => {
  expect(sparkPath([0, 2, 4], 10, 8)).toBe("M0 8L5 4L10 0");
  expect(sparkPath([0, 2, 4], 10, 8, 8)).toBe("M0 8L5 6L10 4");
  expect(sparkPath([-2, 2], 10, 8)).toBe("M0 8L10 0");
});

it("leaves gaps, shows lone values as dots, and draws nothing of nothing", () => {
  expect(sparkPath([4, null, 4, 4], 30, 8)).toBe("M0 0h0M20 0L30 0");
  expect(sparkPath([null, null], 10, 8)).toBe("");
  expect(sparkPath([0, 0], 10, 8)).toBe("M0 8L10 8");
});

it("draws arcs from the left, no further than there is room", () => {
  expect(arcPath(0.5, 10, [10, 10])).toBe("M0 10A10 10 0 0 1 10 0");
  expect(arcPath(7, 10, [10, 10])).toBe(arcPath(1, 10, [10, 10]));
  expect(arcPath(-1, 10, [10, 10])).toBe("M0 10A10 10 0 0 1 0 10");
});

it("says of a share whether somebody should know of it", () => {
  expect([0.1, 0.8, 0.95].map((share) => gaugeTone(share, [0.8, 0.9]))).toEqual([null, "warn", "bad"]);
  expect(gaugeTone(1, undefined)).toBe(null);
  expect(gaugeTone(null, [0.8, 0.9])).toBe(null);
});
