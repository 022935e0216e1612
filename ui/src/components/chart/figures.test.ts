import { expect, it } from "vitest";
import { figuresOf } from "./figures";

it("tells the figures of a line, without its holes", () => {
  expect(figuresOf([null, 4, null, 1, 7, null])).toEqual({ min: 1, average: 4, max: 7, last: 7 });
  expect(figuresOf([null])).toEqual({ min: null, average: null, max: null, last: null });
});
