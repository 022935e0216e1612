import { expect, it } from "vitest";
import { MOST_ROWS, PAGE, pagesIn, slotsOf } from "./pages";

it("asks for the pages that are in sight", () => {
  expect(pagesIn(0, 20)).toEqual([0]);
  expect(pagesIn(PAGE - 1, PAGE)).toEqual([0, 1]);
  expect(pagesIn(950, 1050)).toEqual([9, 10]);
});

it("has a row for each job, whether it is here or not", () => {
  const slots = slotsOf(250, new Map([[1, ["a", "b"]]]));
  expect(slots).toHaveLength(250);
  expect(slots.slice(99, 103).map(({ item }) => item)).toEqual([null, "a", "b", null]);
});

it("has no row beyond the end, nor more than can be drawn", () => {
  expect(slotsOf(1, new Map([[0, ["a", "b"]]]))).toHaveLength(1);
  expect(slotsOf(2_000_000, new Map())).toHaveLength(MOST_ROWS);
});
