import { expect, it } from "vitest";
import { rowsInSight } from "./sight";

it.each([
  ["few rows", 5, 0, 0, 5],
  ["the beginning of many", 1000, 0, 0, 23],
  ["the middle", 1000, 5000, 494, 23],
  ["the end", 1000, Number.POSITIVE_INFINITY, 977, 23],
  ["nothing", 0, 40, 0, 0],
])("draws %s", (_, rows, top, first, amount) => {
  expect(rowsInSight(rows, top, 100, 10)).toEqual({ first, amount });
});
