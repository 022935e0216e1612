import { expect, it } from "vitest";
import { partedAt } from "./fault";

it("finds a place by its bytes, whatever letters stand before it", () => {
  expect(partedAt("duration>5", 9, 10)).toEqual(["duration>", "5", ""]);
  expect(partedAt("größe😀:x y", 12, 13)).toEqual(["größe😀:", "x", " y"]);
  expect(partedAt("a AND", 5, 5)).toEqual(["a AND", " ", ""]);
});
