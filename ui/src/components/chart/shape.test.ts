import { expect, it } from "vitest";
import { stacked } from "./shape";

it("puts each line upon the one before, across holes", () => {
  const lines = stacked([{ values: [1, null, 3] }, { values: [10, null, null] }, { values: [null, 5, 1] }]);
  expect(lines.map(({ values }) => values)).toEqual([
    [1, null, 3],
    [11, null, 3],
    [11, 5, 4],
  ]);
});
