import { expect, it } from "vitest";
import type { Queue } from "../api/types";
import { healthOf } from "./health";

const queue = (more: object) =>
  ({ queue: "ocr", ok: true, depth: {}, oldest_age_seconds: {}, ...more }) as unknown as Queue;
const worker = (status: string, queues = ["ocr"]) => ({ status, queues });
const word = (...args: Parameters<typeof healthOf>) => healthOf(...args).word;

it("says the gravest thing first", () => {
  const waiting = { depth: { pending: 9, dead: 1 }, oldest_age_seconds: { pending: 90 } };
  const grows = { ...waiting, arrival_rate: 2, completion_rate: 1 };
  const bottleneck = { queue: "ocr", reason: "more comes than goes", stage: null };
  expect(word(queue({ ...grows, ok: false }), [worker("offline")], bottleneck)).toBe("not readable");
  expect(word(queue(grows), [worker("offline"), worker("online", ["llm"])], bottleneck)).toBe("nobody takes");
  expect(word(queue(grows), [worker("online")], bottleneck)).toBe("bottleneck");
  expect(word(queue(grows), [worker("online")], null)).toBe("grows");
  expect(word(queue(waiting), [worker("online")], null)).toBe("dead letters");
});

it("does not take unknown workers for none, nor a moment for a backlog", () => {
  const pending = { depth: { pending: 1 }, oldest_age_seconds: { pending: 1 }, arrival_rate: 9 };
  expect(word(queue(pending), [], null)).toBe("fine");
  expect(word(queue({}), [worker("stopped")], null)).toBe("idle");
});
