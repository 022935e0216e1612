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
