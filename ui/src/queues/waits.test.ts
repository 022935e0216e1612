import { expect, it } from "vitest";
import type { Answer } from "../metrics/answer";
import { bucketsOf } from "./waits";

const answer = (values: Readonly<Record<string, string>>): Answer => ({
  data: {
    resultType: "vector",
    result: Object.entries(values).map(([le, value]) => ({ metric: { le }, value: [0, value] })),
  },
});

it("takes buckets apart, in the order of their bounds, without the empty ones at the ends", () => {
  const buckets = bucketsOf(
    answer({ "+Inf": "10", "10": "10", "0.5": "4", "0.1": "0", "2.5": "4", "5": "9" }),
  );
  expect(buckets.map(({ from, to, amount }) => [from, to, amount])).toEqual([
    [0.1, 0.5, 4],
    [0.5, 2.5, 0],
    [2.5, 5, 5],
    [5, 10, 1],
  ]);
  expect(buckets.at(-1)?.upTo).toBe(1);
});

it("shows nothing where nothing was counted", () => {
  expect(bucketsOf(answer({ "+Inf": "0", "1": "0" }))).toEqual([]);
  expect(bucketsOf(answer({ "+Inf": "NaN", x: "3" }))).toEqual([]);
  expect(bucketsOf({ data: { resultType: "scalar", result: [0, "1"] } })).toEqual([]);
});
