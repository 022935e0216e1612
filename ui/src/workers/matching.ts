// Which workers a search means.

import type { Worker } from "../api/types";
import type { WorkersSearch } from "./address";

export function matching(workers: readonly Worker[], search: WorkersSearch): readonly Worker[] {
  const { status, capability, queue, q } = search;
  const text = q?.trim().toLowerCase();
  return workers.filter(
    (worker) =>
      (status === undefined || worker.status === status) &&
      (capability === undefined || worker.capability === capability) &&
      (queue === undefined || worker.queues.includes(queue)) &&
      (!text ||
        [worker.worker_id, worker.host, worker.service].some((field) => field?.toLowerCase().includes(text))),
  );
}
