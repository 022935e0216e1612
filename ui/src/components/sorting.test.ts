import { expect, it } from "vitest";
import { type Column, sortedBy } from "./sorting";

interface Row {
  readonly name: string;
  readonly size: number | null;
}

const columns: Column<Row>[] = [
  { id: "name", head: "Name", cell: (row) => row.name, sort: (row) => row.name },
  { id: "size", head: "Size", cell: (row) => row.size, sort: (row) => row.size },
  { id: "note", head: "Note", cell: () => "" },
];
const rows: Row[] = [
  { name: "b", size: 10 },
  { name: "a", size: null },
  { name: "c", size: 9 },
];
const names = (column: string, isDown: boolean) =>
  sortedBy(rows, columns, { column, isDown })
    .map(({ name }) => name)
    .join("");

it("sorts by a column, and what is not known comes last either way", () => {
  expect([names("name", false), names("name", true)]).toEqual(["abc", "cba"]);
  expect([names("size", false), names("size", true)]).toEqual(["cba", "bca"]);
});

it("leaves rows as they came where there is nothing to sort by", () => {
  expect([names("note", true), names("other", true)]).toEqual(["bac", "bac"]);
  expect(sortedBy(rows, columns, null)).toBe(rows);
});
