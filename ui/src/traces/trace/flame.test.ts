import { expect, it } from "vitest";
import type { TraceSpan } from "../../api/types";
import { framesOf } from "./flame";
import { treeOf } from "./layout";

function span(id: string, name: string, parent: number | null, self: number, status = "unset"): TraceSpan {
  return {
    span_id: id,
    name,
    parent,
    status,
    self_seconds: self,
    time: "2026-12-01T00:00:00Z",
    duration_seconds: self,
    skew_seconds: 0,
    origin: { service: "ocr" },
  } as TraceSpan;
}

const { roots } = treeOf({
  spans: [
    span("r", "read", null, 1),
    span("p1", "page", 0, 2),
    span("p2", "page", 0, 3, "error"),
    span("i", "infer", 1, 4),
    span("s", "store", 0, 0),
  ],
  logs: [],
});

function told(shown: string | null) {
  return framesOf(roots, shown).map((frame) => [
    frame.name,
    frame.depth,
    frame.left,
    Number(frame.width.toFixed(6)),
    frame.amount,
    frame.errors,
  ]);
}

it("makes one frame of spans that do the same, as wide as they and their parts ran", () => {
  expect(told(null)).toEqual([
    ["read", 0, 0, 1, 1, 0],
    ["page", 1, 0, 0.9, 2, 1],
    ["infer", 2, 0, 0.4, 1, 0],
  ]);
  expect(framesOf(roots, null)[1]).toMatchObject({ total: 9, self: 5, span: "p2" });
});

it("shows a frame as a whole, below those that it is a part of", () => {
  expect(told("p1")).toEqual([
    ["read", 0, 0, 1, 1, 0],
    ["page", 1, 0, 1, 2, 1],
    ["infer", 2, 0, 0.444444, 1, 0],
  ]);
  expect(framesOf(roots, "p1")[0]?.isAbove).toBe(true);
  expect(told("unknown")).toEqual(told(null));
});
