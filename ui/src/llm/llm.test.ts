import { expect, it } from "vitest";
import type { Queue } from "../api/types";
import { llmSearch } from "./address";
import { queuesOf } from "./queries";

const queue = (name: string) => ({ queue: name }) as Queue;
const names = (queues: readonly Queue[]) => queues.map(({ queue }) => queue);

it("finds the queues whose jobs call models, and else those that are called so", () => {
  const all = ["extraction", "summaries", "llm_tasks", "hellmann"].map(queue);
  expect(names(queuesOf(["summaries"], all))).toEqual(["summaries"]);
  expect(names(queuesOf([], all))).toEqual(["llm_tasks"]);
  expect(names(queuesOf(["gone"], all))).toEqual(["llm_tasks"]);
});

it("reads which model is looked at", () => {
  expect(llmSearch({ model: "large:70b", calls: "failed" })).toEqual({ model: "large:70b", calls: "failed" });
  expect(llmSearch({ model: " ", calls: "all" })).toEqual({ model: undefined, calls: undefined });
});
