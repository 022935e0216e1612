import { expect, it } from "vitest";
import { resultsOf } from "./evidence";

it("reads what the checks found", () => {
  const table = { check: "workers", title: "Workers", columns: ["id"], rows: [["w-1"], [2]], note: null };
  const said = { verdict: "fine", reason: "all are online" };
  expect(resultsOf([{ ...table, ...said }])).toEqual([{ ...table, ...said, rows: [["w-1"], ["2"]] }]);
});

it("leaves out what has another form, and shows the rest", () => {
  expect(resultsOf(null)).toEqual([]);
  expect(resultsOf({ check: "x" })).toEqual([]);
  expect(resultsOf([null, 1, {}, { check: "top_processes", rows: "none", note: "" }])).toEqual([
    {
      check: "top_processes",
      title: "top processes",
      columns: [],
      rows: [],
      note: null,
      verdict: null,
      reason: "",
    },
  ]);
});
