import { expect, it } from "vitest";
import type { Data } from "../metrics/answer";
import { MAX_POINTS, MAX_ROWS, rowsOf } from "./rows";

const rows = (data: Data) => rowsOf({ data }).rows;

it("shows a value as the server wrote it, and of a native histogram count and sum", () => {
  const histogram = { count: "3", sum: "4.5" };
  expect(
    rows({
      resultType: "vector",
      result: [
        { metric: { __name__: "up", job: "api" }, value: [1, "0.30000000000000004"] },
        { metric: { __name__: "took" }, histogram: [1, histogram] },
      ],
    }),
  ).toEqual([
    { name: 'up{job="api"}', values: ["0.30000000000000004"], more: 0 },
    { name: "took", values: ["count 3, sum 4.5"], more: 0 },
  ]);
});

it.each(["scalar", "string"] as const)("shows a %s", (resultType) => {
  expect(rows({ resultType, result: [1, "<b>7"] })).toEqual([
    { name: resultType, values: ["<b>7"], more: 0 },
  ]);
});

it("shows the points of a range vector with their times, the newest first, and counts what is beyond", () => {
  const values = Array.from({ length: MAX_POINTS + 5 }, (_, second) => [second, `${second}`] as const);
  const [row] = rows({ resultType: "matrix", result: [{ metric: {}, values }] });
  expect(row?.values[0]).toBe(`${MAX_POINTS + 4} @ 1970-01-01T00:00:24.000Z`);
  expect([row?.values.length, row?.more]).toEqual([MAX_POINTS, 5]);
});

it("shows so many rows at most, and counts the others", () => {
  const result = Array.from({ length: MAX_ROWS + 3 }, (_, place) => {
    return { metric: { place: `${place}` }, value: [1, "1"] as const };
  });
  const { rows, more } = rowsOf({ data: { resultType: "vector", result } });
  expect([rows.length, more]).toEqual([MAX_ROWS, 3]);
});
