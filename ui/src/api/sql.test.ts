import { expect, it } from "vitest";
import { literal, rowsOf } from "./sql";

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
