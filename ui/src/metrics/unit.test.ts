import { expect, it } from "vitest";
import { showOf } from "./unit";

it.each([
  [["worker_memory_bytes"], 2048, "2.0 KiB"],
  [["network_receive_bytes_total", "disk_free_bytes"], 2048, "2.0 KiB"],
  [["job_duration_seconds_sum"], 200, "3 min 20 s"],
  [["process_start_time_seconds"], 1_700_000_000, "1.7B"],
  [["disk_free_bytes", "job_age_seconds"], 2048, "2,048"],
  [[undefined], 2048, "2,048"],
  [[], 0.25, "0.25"],
])("of %j the value %d is %s", (names, value, text) => {
  const metrics = names.map((name): Record<string, string> => (name === undefined ? {} : { __name__: name }));
  expect(showOf(metrics)(value)).toBe(text);
});
