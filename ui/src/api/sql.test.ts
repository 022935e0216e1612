import { expect, it } from "vitest";
import { literal, numberOf, rowsOf, textOf } from "./sql";

it("gives rows by the names of their columns", () => {
  const columns = [
    { name: "model", type: "text" },
    { name: "calls", type: "bigint" },
  ];
  expect(
    rowsOf({
      columns,
      rows: [
        ["large", 3],
        [null, 1],
      ] as never,
    }),
  ).toEqual([
    { model: "large", calls: 3 },
    { model: null, calls: 1 },
  ]);
});

it("lets no text out of its quotes", () => {
  expect(literal("a' OR ''='")).toBe("'a'' OR ''''='''");
  expect(literal("a\\")).toBe("'a\\'");
});

it("reads what a row has, and nothing else", () => {
  const row = { n: 0, big: "12", none: null, text: "a", empty: "" };
  expect(["n", "big", "none", "text", "empty", "absent"].map((name) => numberOf(row, name))).toEqual([
    0,
    12,
    null,
    null,
    null,
    null,
  ]);
  expect(["text", "empty", "n"].map((name) => textOf(row, name))).toEqual(["a", null, null]);
});
