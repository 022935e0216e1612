import { expect, it } from "vitest";
import type { Answer } from "../metrics/answer";
import { hostSearch, sortingOf, sortingText } from "./address";
import { rowsBy } from "./groups";
import { type Filesystem, fullest, sharesOf } from "./shares";

it("puts the metrics of a group into one row, and leaves out what is no number", () => {
  const sample = (name: string, group: string, value: string) => ({
    metric: { __name__: name, group },
    value: [0, value] as const,
  });
  const result = [
    sample("count", "b", "2"),
    sample("count", "a", "1"),
    sample("memory", "b", "9"),
    sample("x", "b", "NaN"),
  ];
  const answer = { data: { resultType: "vector", result } } satisfies Answer;
  expect([...rowsBy("group", answer)]).toEqual([
    ["a", { count: 1 }],
    ["b", { count: 2, memory: 9 }],
  ]);
  expect(rowsBy("unit", answer).size).toBe(0);
});

it.each([
  ["cpu", { column: "cpu", isDown: true }],
  ["cpu.up", { column: "cpu", isDown: false }],
])("reads and writes the sorting %s", (text, sorting) => {
  expect(sortingOf(text)).toEqual(sorting);
  expect(sortingText(sorting)).toBe(text);
});

it("knows no other sorting", () => {
  expect(sortingOf("colour")).toBe(null);
  expect(hostSearch({ sort: "<b>.up" }).sort).toBe(undefined);
});

it("finds the fullest file system, by what the metric says and not by what is reserved", () => {
  const filesystems = ["/", "/data"].map((mountpoint) => ({ mountpoint }) as Filesystem);
  const rows = new Map([
    ["/", { host_filesystem_usage_ratio: 0.2 }],
    ["/data", { host_filesystem_usage_ratio: 0.7 }],
  ]);
  expect(fullest(sharesOf(filesystems, rows))?.filesystem.mountpoint).toBe("/data");
  expect(fullest(sharesOf(filesystems, null))).toEqual({ filesystem: filesystems[0], share: null });
  expect(fullest([])).toBe(undefined);
});
