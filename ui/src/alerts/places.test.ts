import { expect, it } from "vitest";
import { placeOf } from "./places";

it.each([
  ["queue", "llm tasks", {}, "/queues/llm%20tasks"],
  ["worker", "llm-1", {}, "/workers/llm-1"],
  ["job_id", "a/../b", {}, "/jobs/a%2F..%2Fb"],
  ["stage", "extract", {}, "/memory?stage=extract"],
  ["kind", "summary", { queue: "llm" }, "/jobs?kind=summary"],
  ["kind", "redis", { probe: "cache" }, null],
  ["job", "node", {}, null],
  ["constructor", "x", {}, null],
  ["queue", "", {}, null],
])("the label %s=%j leads to its page", (name, value, labels, place) => {
  expect(placeOf(name, value, labels as Record<string, string>)).toBe(place);
});
