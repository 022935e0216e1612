import { expect, it } from "vitest";
import type { TraceSummary } from "../api/types";
import { areaOf, durationText, placeIn, powersOf, valueAt } from "./scale";

const traces = [0.02, 3, 0].map((duration_seconds) => ({ duration_seconds }) as TraceSummary);

it("reaches from the power of ten below all durations to the one above, and back from places to values", () => {
  const area = areaOf(traces.slice(0, 2), 100, 200);
  expect([area.shortest, area.longest]).toEqual([0.01, 10]);
  expect(powersOf(area).map((power) => Number(power.toFixed(6)))).toEqual([0.01, 0.1, 1, 10]);
  const [left, top] = placeIn(area, 150, 1);
  expect([left, top]).toEqual([0.5, expect.closeTo(1 / 3)]);
  const [time, duration] = valueAt(area, left, top);
  expect([time, duration]).toEqual([150, expect.closeTo(1)]);
});

it("draws what took no time at the bottom, and nothing at all", () => {
  const area = areaOf(traces, 0, 1);
  expect(placeIn(area, 0, 0)[1]).toBe(1);
  expect(areaOf([], 0, 1)).toMatchObject({ shortest: 0.001, longest: 10 });
  expect(areaOf([{ duration_seconds: 1 } as TraceSummary], 0, 1)).toMatchObject({ shortest: 1, longest: 10 });
});

it.each([
  [12.3456, "12.3s"],
  [0.25, "250ms"],
  [0.00005, "50us"],
])("writes %s s as %s", (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});
