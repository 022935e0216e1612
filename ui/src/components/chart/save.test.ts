import { expect, it } from "vitest";
import { csvOf } from "./save";

it("writes a row for each time, and no formula", () => {
  const lines = [
    { name: 'a{b="c"}', values: [1, null] },
    { name: "=1+1", values: [2, 3] },
    { values: [0, 0.5] },
  ];
  expect(csvOf([0, 60], lines)).toBe(
    'time,"a{b=""c""}",\'=1+1,value 3\r\n1970-01-01T00:00:00.000Z,1,2,0\r\n1970-01-01T00:01:00.000Z,,3,0.5\r\n',
  );
});
