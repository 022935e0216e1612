import type uPlot from "uplot";
import { expect, it } from "vitest";
import { type Mark, markAt, pressAt } from "./marks";

// A chart whose values stand at as many pixels.
const chart = { valToPos: (value: number) => value } as unknown as uPlot;

it("finds the mark at the pointer, the dot on top before what is below it", () => {
  const pressed: string[] = [];
  const dot = (name: string, value: number): Mark => ({
    kind: "example",
    time: 50,
    value,
    name,
    onPress: () => pressed.push(name),
  });
  const marks: readonly Mark[] = [
    dot("below", 20),
    dot("top", 22),
    { kind: "event", time: 80, tone: "bad", name: "deploy" },
    { kind: "example", time: 10, value: 10, name: "leads nowhere" },
  ];
  pressAt(chart, marks, 51, 21)?.();
  expect(pressed).toEqual(["top"]);
  expect(markAt(chart, marks, 82, 5)?.name).toBe("deploy");
  expect(pressAt(chart, marks, 82, 5)).toBe(undefined);
  expect(pressAt(chart, marks, 10, 10)).toBe(undefined);
  expect(markAt(chart, marks, 30, 60)).toBe(undefined);
});
