import { expect, it } from "vitest";
import { Ring } from "./ring";

function ringOf(room: number, items: readonly number[]): Ring<number> {
  const ring = new Ring<number>(room);
  for (const item of items) ring.push(item);
  return ring;
}

it.each([
  [[], [], 0],
  [[1, 2], [1, 2], 0],
  [[1, 2, 3], [1, 2, 3], 0],
  [[1, 2, 3, 4], [2, 3, 4], 1],
  [[1, 2, 3, 4, 5, 6, 7], [5, 6, 7], 4],
])("of %j keeps %j", (pushed, kept, lost) => {
  const ring = ringOf(3, pushed);
  expect([ring.items(), ring.lost, ring.size]).toEqual([kept, lost, kept.length]);
});

it("is empty after it was cleared, and goes on", () => {
  const ring = ringOf(2, [1, 2, 3]);
  ring.clear();
  expect([ring.items(), ring.lost]).toEqual([[], 0]);
  ring.push(9);
  expect(ring.items()).toEqual([9]);
});

it("gives what it had then, whatever comes later", () => {
  const ring = ringOf(2, [1, 2]);
  const then = ring.items();
  ring.push(3);
  expect(then).toEqual([1, 2]);
});
