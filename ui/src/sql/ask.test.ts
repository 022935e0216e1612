import { expect, it } from "vitest";
import { numberAt, quoted, textAt } from "./ask";

it("writes any text as one of SQL's", () => {
  expect(quoted("it's '' x")).toBe("'it''s '''' x'");
});

it("reads what a row has, and nothing else", () => {
  const row = { n: 0, big: "12", none: null, text: "a", empty: "" };
  expect(["n", "big", "none", "text", "empty", "absent"].map((name) => numberAt(row, name))).toEqual([
    0,
    12,
    null,
    null,
    null,
    null,
  ]);
  expect(["text", "empty", "n"].map((name) => textAt(row, name))).toEqual(["a", null, null]);
});
