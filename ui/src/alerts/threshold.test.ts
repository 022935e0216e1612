import { expect, it } from "vitest";
import { thresholdOf } from "./threshold";

it.each([
  ['queue_depth{state="pending"} > 100', 'queue_depth{state="pending"}', ">", 100],
  ["worker_memory_bytes / 1024 / 1024 / 1024 >= 4.5", "worker_memory_bytes / 1024 / 1024 / 1024", ">=", 4.5],
  ["gpu_up == 0", "gpu_up", "==", 0],
  ['sum(a{x="b > 1"}) < -2e3', 'sum(a{x="b > 1"})', "<", -2000],
  ["sum by (host) (a > 1) != 3", "sum by (host) (a > 1)", "!=", 3],
  ["for_each_and_band > 1", "for_each_and_band", ">", 1],
  ["\n  a{b=~`c\\`} > .5\n", "a{b=~`c\\`}", ">", 0.5],
])("takes %s apart", (query, expr, operator, value) => {
  expect(thresholdOf(query)).toEqual({ expr, operator, value });
});

it.each([
  "",
  "up",
  "> 3",
  "a > b",
  "a > bool 1",
  "a > 1 and b",
  "a == 0 unless on () b == 0",
  "a > 1 > 2",
  'a{b="c > 1',
  "(a > 1",
  "a > 1 # or so",
  "a > 5m",
])("leaves alone what is no comparison with a number: %s", (query) => {
  expect(thresholdOf(query)).toBeNull();
});
