import { describe, expect, it } from "vitest";
import { at, attempt, job } from "./jobs.fixture";
import { rowsOf } from "./rows";
import { scaleOf } from "./scale";

const NOW = Date.parse(at(1000));
const time = (seconds: number) => Date.parse(at(seconds));
const scale = (...attempts: ReturnType<typeof attempt>[]) => scaleOf(rowsOf(job({ attempts }), NOW));

describe("the axis of a waterfall", () => {
  it("is true to scale where a job runs longer than it waits", () => {
    const axis = scale(attempt(0, 0, 20, 100));
    expect(axis.isShortened).toBe(false);
    expect([0, 20, 50, 100].map((second) => axis.at(time(second)))).toEqual([0, 0.2, 0.5, 1]);
    expect(axis.ticks.map(({ elapsed }) => elapsed)).toEqual([0, 30, 60, 90]);
  });

  it("shortens waiting where a job waits longer than it runs", () => {
    const axis = scale(attempt(0, 0, 3600, 3602), attempt(1, 3602, 3800, 3803));
    expect(axis.isShortened).toBe(true);
    // What ran has the larger part, and a second of it is as long everywhere.
    const [first, second] = [
      axis.at(time(3602)) - axis.at(time(3600)),
      axis.at(time(3803)) - axis.at(time(3800)),
    ];
    expect(first + second).toBeCloseTo(0.7);
    expect(second / first).toBeCloseTo(1.5);
  });

  it("puts times in their order, and those beyond at the ends", () => {
    const axis = scale(attempt(0, 0, 500, 501), attempt(1, 501, 502, 503), attempt(2, 503, 900, 900.5));
    const places = Array.from({ length: 200 }, (_, place) => axis.at(time(-20 + 5 * place)));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect([places[0], places.at(-1)]).toEqual([0, 1]);
  });

  it("has ticks that do not stand on one another", () => {
    const attempts = Array.from({ length: 60 }, (_, n) => attempt(n, n * 10, n * 10 + 9, n * 10 + 9.001));
    const { ticks } = scale(...attempts);
    for (const [place, tick] of ticks.entries()) {
      expect(tick.at - (ticks[place - 1]?.at ?? -1)).toBeGreaterThan(0.1);
    }
  });

  it("goes on beyond what has happened where more is to come", () => {
    const rows = rowsOf(job({ status: "running", attempts: [attempt(0, 990, 990, null)] }), NOW);
    const axis = scaleOf(rows, time(1010));
    expect([axis.end, axis.at(NOW)]).toEqual([time(1010), 0.5]);
  });

  it("stands where nothing is known, and where nothing took any time", () => {
    expect(scaleOf([]).at(NOW)).toBe(0);
    expect(scale(attempt(0, 5, 5, 5)).at(time(5))).toBe(0);
  });
});
