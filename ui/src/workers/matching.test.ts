import { expect, it } from "vitest";
import type { Worker } from "../api/types";
import { matching } from "./matching";

const worker = (worker_id: string, more: object) => ({ worker_id, queues: [], ...more }) as unknown as Worker;
const workers = [
  worker("a-1", { status: "online", capability: "gpu", queues: ["ocr"], host: "Big" }),
  worker("b-1", { status: "offline", capability: "cpu", queues: ["ocr", "llm"], host: null }),
];
const ids = (search: Parameters<typeof matching>[1]) =>
  matching(workers, search).map(({ worker_id }) => worker_id);

it("takes all conditions together", () => {
  expect(ids({})).toEqual(["a-1", "b-1"]);
  expect(ids({ queue: "ocr", status: "offline" })).toEqual(["b-1"]);
  expect(ids({ capability: "gpu", queue: "llm" })).toEqual([]);
  expect(ids({ q: " big" })).toEqual(["a-1"]);
});
