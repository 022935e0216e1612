import { expect, it } from "vitest";
import type { LogRecord, TraceSpan } from "../../api/types";
import { type Row, rowsOf, secondsSince, ticksOf, treeOf } from "./layout";

/** A span from `start` to `end`, in seconds of a minute. */
function span(
  id: string,
  parent: number | null,
  start: number,
  end: number,
  more: Partial<TraceSpan> = {},
): TraceSpan {
  return {
    span_id: id,
    parent,
    time: `2026-12-01T00:00:${start.toFixed(3).padStart(6, "0")}Z`,
    duration_seconds: end - start,
    skew_seconds: 0,
    cut: false,
    ...more,
  } as TraceSpan;
}

function log(id: string, span_id: string | null, at: number): LogRecord {
  return { id, span_id, time: `2026-12-01T00:00:${at.toFixed(3).padStart(6, "0")}Z` } as LogRecord;
}

const spans = [
  span("root", null, 1, 11),
  span("b", 0, 5, 8),
  span("a", 0, 2, 6),
  span("a1", 2, 3, 4),
  span("late", 0, 10, 14),
];
const logs = [log("1", "a", 3.5), log("2", "nowhere", 9), log("3", "a", 2.5)];

function names(rows: readonly Row[]): readonly string[] {
  return rows.map((row) => `${" ".repeat(row.depth)}${row.kind === "span" ? row.key : row.line.id}`);
}

it("orders spans by their parents and their times, and puts log lines between them", () => {
  const tree = treeOf({ spans, logs });
  expect(names(rowsOf(tree, new Set(), false))).toEqual(["root", " a", "  a1", " b", " late"]);
  expect(names(rowsOf(tree, new Set(), true))).toEqual([
    "root",
    " a",
    "  3",
    "  a1",
    "  1",
    " b",
    " late",
    "2",
  ]);
  expect(names(rowsOf(tree, new Set(["a"]), true))).toEqual(["root", " a", " b", " late", "2"]);
});

it("measures from the first beginning to the last end, and knows when a span itself ran", () => {
  const tree = treeOf({ spans, logs: [] });
  expect([tree.duration, new Date(tree.begin).toISOString()]).toEqual([13, "2026-12-01T00:00:01.000Z"]);
  expect(tree.roots[0]?.self).toEqual([
    { start: 0, end: 1 },
    { start: 7, end: 9 },
  ]);
  expect(tree.roots[0]?.children[2]?.self).toEqual([{ start: 9, end: 13 }]);
});

it("corrects clocks that are taken to be wrong", () => {
  const tree = treeOf({
    spans: [span("root", null, 10, 20), span("a", 0, 5, 6, { skew_seconds: 7 })],
    logs: [],
  });
  const [child] = tree.roots[0]?.children ?? [];
  expect([child?.start, child?.end]).toEqual([2, 3]);
});

it("makes roots of what has no parent here, or was cut off a circle", () => {
  const tree = treeOf({ spans: [span("x", 1, 1, 2, { cut: true }), span("y", 0, 1, 2)], logs: [] });
  expect(names(rowsOf(tree, new Set(), false))).toEqual(["x", " y"]);
});

it("takes a trace without spans, and one of many", () => {
  expect(treeOf({ spans: [], logs: [] })).toMatchObject({ roots: [], duration: 0 });
  expect(treeOf({ spans: [], logs })).toMatchObject({ duration: 6.5 });
  const many = Array.from({ length: 10_000 }, (_, place) => span(`${place}`, place === 0 ? null : 0, 1, 2));
  expect(rowsOf(treeOf({ spans: many, logs: [] }), new Set(), false)).toHaveLength(10_000);
  const deep = Array.from({ length: 10_000 }, (_, place) =>
    span(`${place}`, place === 0 ? null : place - 1, 1, 2),
  );
  expect(rowsOf(treeOf({ spans: deep, logs: [] }), new Set(), false)).toHaveLength(10_000);
});

it("reads times to the nanosecond", () => {
  expect(secondsSince(Date.parse("2026-12-01T00:00:00Z"), "2026-12-01T00:00:01.000000005Z")).toBeCloseTo(
    1.000000005,
    12,
  );
});

it.each([
  [1, 4, [0, 0.5, 1]],
  [13, 5, [0, 5, 10]],
  [0, 4, [0]],
])("marks %s s at about %s places", (duration, about, ticks) => {
  expect(ticksOf(duration, about)).toEqual(ticks);
});
