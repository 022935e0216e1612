import { expect, it } from "vitest";
import { levelChart } from "./levels";

it("puts the gravest lowest, and counts what has no level with the others", () => {
  const chart = levelChart({
    by: "level",
    start: "1970-01-01T00:01:40Z",
    step_seconds: 10,
    buckets: 2,
    series: [
      { value: "info", counts: [5, 6] },
      { value: "fatal", counts: [1, 0] },
      { value: "error", counts: [2, 0] },
      { value: null, counts: [0, 3] },
      { value: "debug", counts: [1, 0] },
    ],
    others: [0, 1],
    total: 19,
    hints: [],
  });
  expect(chart.times).toEqual([100, 110]);
  expect(chart.span).toEqual([100, 120]);
  expect(chart.lines.map(({ name, values }) => [name, values])).toEqual([
    ["others", [1, 4]],
    ["info", [5, 6]],
    ["warnings", [0, 0]],
    ["errors", [3, 0]],
  ]);
});
