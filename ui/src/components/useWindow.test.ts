import { expect, it } from "vitest";
import { sightOf } from "./useWindow";

const list = { room: 100, amount: 1_000, height: 10, beyond: 5 };

it("draws what is in sight and some beyond, and keeps the room of the rest", () => {
  expect(sightOf({ ...list, top: 0 })).toEqual({ first: 0, end: 16, before: 0, after: 9_840 });
  expect(sightOf({ ...list, top: 505 })).toEqual({ first: 45, end: 66, before: 450, after: 9_340 });
  expect(sightOf({ ...list, top: 9_900 })).toEqual({ first: 985, end: 1_000, before: 9_850, after: 0 });
});

it("draws the end of a list that has become shorter, and all of a short one", () => {
  expect(sightOf({ ...list, top: 5_000, amount: 20 })).toEqual({ first: 5, end: 20, before: 50, after: 0 });
  expect(sightOf({ ...list, top: 0, amount: 3 })).toEqual({ first: 0, end: 3, before: 0, after: 0 });
});

it("counts the rows that are open with what they are higher by", () => {
  const opened = [
    [2, 100],
    [50, 30],
  ] as const;
  expect(sightOf({ ...list, opened, top: 90 })).toEqual({ first: 0, end: 18, before: 0, after: 9_850 });
  expect(sightOf({ ...list, opened, top: 300 })).toEqual({ first: 15, end: 36, before: 250, after: 9_670 });
  expect(sightOf({ ...list, opened, top: 1_000 })).toEqual({
    first: 82,
    end: 103,
    before: 950,
    after: 8_970,
  });
});
