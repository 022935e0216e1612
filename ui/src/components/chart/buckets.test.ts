import { expect, it } from "vitest";
import { bandName, bandsOf, darkness, fullestOf, mostOf } from "./buckets";

const infinite = Number.POSITIVE_INFINITY;

it("takes cumulative buckets apart, in the order of their bounds, and leaves out empty ends", () => {
  const bands = bandsOf([
    { le: infinite, values: [5, 7] },
    { le: 0.1, values: [0, 0] },
    { le: 1, values: [5, 7] },
    { le: 0.5, values: [2, null] },
  ]);
  expect(bands).toEqual([
    { low: 0.1, high: 0.5, values: [2, null] },
    { low: 0.5, high: 1, values: [3, 7] },
  ]);
  expect(mostOf(bands)).toBe(7);
  expect(fullestOf(bands)).toBe(bands[1]);
});

it("keeps a band in the middle in which nothing was, and never shows less than nothing", () => {
  const bands = bandsOf([
    { le: 1, values: [3] },
    { le: 2, values: [2.9] },
    { le: infinite, values: [4] },
  ]);
  expect(bands.map(({ values }) => values[0])).toEqual([3, 0, 1.1].map((value) => expect.closeTo(value)));
  expect(bandsOf([{ le: 1, values: [0, null] }])).toEqual([]);
  expect(bandsOf([{ le: Number.NaN, values: [1] }])).toEqual([]);
});

it("lets few be seen beside many, and none not at all", () => {
  expect(darkness(0, 100)).toBe(0);
  expect(darkness(null, 100)).toBe(0);
  expect(darkness(1, 100)).toBeGreaterThan(0.15);
  expect(darkness(100, 100)).toBe(1);
  expect(darkness(1, 0)).toBe(0);
});

it("names bands by their bounds", () => {
  const show = (value: number) => `${value} s`;
  expect(bandName({ low: 0, high: 1 }, show)).toBe("up to 1 s");
  expect(bandName({ low: 1, high: 2 }, show)).toBe("1 s to 2 s");
  expect(bandName({ low: 2, high: infinite }, show)).toBe("over 2 s");
});
