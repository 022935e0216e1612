import { expect, it } from "vitest";
import { BOX, layoutOf, pathThrough } from "./layout";

function edges(text: string) {
  return text.split(" ").map((pair) => {
    const [client = "", server = ""] = pair.split(">");
    return { client, server };
  });
}

function laid(text: string) {
  const all = edges(text);
  return layoutOf([...new Set(all.flatMap(({ client, server }) => [client, server]))], all);
}

function columns(layout: ReturnType<typeof laid>): Record<string, number> {
  const xs = [...new Set(layout.boxes.map(({ x }) => x))].toSorted((a, b) => a - b);
  return Object.fromEntries(layout.boxes.map(({ name, x }) => [name, xs.indexOf(x)]));
}

it("puts whoever is asked to the right of all who ask", () => {
  expect(columns(laid("web>gateway gateway>ocr ocr>db gateway>db web>auth"))).toEqual({
    web: 0,
    gateway: 1,
    auth: 1,
    ocr: 2,
    db: 3,
  });
});

it("leads around boxes in between, and back where services ask each other in a circle", () => {
  const layout = laid("a>b b>c c>a a>c b>b");
  expect(columns(layout)).toEqual({ a: 0, b: 1, c: 2 });
  const line = (client: string, server: string) =>
    layout.lines.find(({ edge }) => edge.client === client && edge.server === server);
  expect(line("a", "c")?.points).toHaveLength(4);
  expect(line("c", "a")?.isBack).toBe(true);
  expect(line("b", "b")).toBeUndefined();
  const b = layout.boxes.find(({ name }) => name === "b");
  const at = line("a", "c")?.points[1]?.[1] ?? 0;
  expect(at < (b?.y ?? 0) || at > (b?.y ?? 0) + BOX.height).toBe(true);
});

it("lets no boxes touch, and keeps all of them inside, at 60 services and 150 edges", () => {
  const names = Array.from({ length: 60 }, (_, place) => `s${place}`);
  const many = Array.from({ length: 150 }, (_, place) => ({
    client: `s${(place * 7) % 60}`,
    server: `s${(place * 13 + 5) % 60}`,
  }));
  const { boxes, lines, width, height } = layoutOf(names, many);
  for (const [place, box] of boxes.entries()) {
    expect(box.x >= 0 && box.y >= 0 && box.x + BOX.width <= width && box.y + BOX.height <= height).toBe(true);
    for (const other of boxes.slice(place + 1)) {
      expect(other.x !== box.x || Math.abs(other.y - box.y) >= BOX.height).toBe(true);
    }
  }
  expect(lines.length).toBe(many.filter(({ client, server }) => client !== server).length);
});

it("crosses no lines where it need not", () => {
  const layout = laid("a>x b>y c>z");
  const y = (name: string) => layout.boxes.find((box) => box.name === name)?.y;
  for (const [from, to] of [
    ["a", "x"],
    ["b", "y"],
    ["c", "z"],
  ] as const)
    expect(y(from)).toBeCloseTo(y(to) ?? -1);
});

it("takes nothing, and services that nobody asks", () => {
  expect(layoutOf([], []).boxes).toEqual([]);
  expect(layoutOf(["a", "b"], []).boxes).toHaveLength(2);
  expect(
    pathThrough([
      [0, 0],
      [10, 4],
    ]),
  ).toBe("M0 0C5 0 5 4 10 4");
});
