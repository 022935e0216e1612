import { expect, it } from "vitest";
import { columned, stacked } from "./shape";

it("puts each line upon the one before, across holes", () => {
  const lines = stacked([{ values: [1, null, 3] }, { values: [10, null, null] }, { values: [null, 5, 1] }]);
  expect(lines.map(({ values }) => values)).toEqual([
    [1, null, 3],
    [11, null, 3],
    [11, 5, 4],
  ]);
});

it("stands columns on the last line, so that each covers the one before", () => {
  const lines = columned([{ values: [1, null] }, { values: [2, 5] }, { values: [4, null] }]);
  expect(lines.map(({ values }) => values)).toEqual([
    [7, 5],
    [6, 5],
    [4, null],
  ]);
});
