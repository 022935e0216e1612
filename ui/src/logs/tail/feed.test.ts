import { expect, it } from "vitest";
import type { LogRecord } from "../../api/types";
import { Feed, KEPT } from "./feed";

function staged() {
  const frames: (() => void)[] = [];
  let time = 1000;
  const feed = new Feed(
    (draw) => frames.push(draw),
    () => undefined,
    () => time,
  );
  const drawn: number[] = [];
  feed.subscribe(() => drawn.push(feed.picture().entries.length));
  const line = (message: string) => feed.line({ message } as LogRecord);
  const texts = () =>
    feed.picture().entries.map((entry) => (entry.kind === "line" ? entry.line.message : entry.text));
  return {
    feed,
    line,
    texts,
    drawn,
    frame: () => frames.splice(0).map((draw) => draw()),
    pass: (ms: number) => {
      time += ms;
    },
  };
}

it("draws once a frame, however many lines came", () => {
  const { feed, line, frame, drawn, texts } = staged();
  for (const message of ["a", "b", "c"]) line(message);
  expect(drawn).toEqual([]);
  frame();
  expect([drawn, texts()]).toEqual([[3], ["a", "b", "c"]]);
  frame();
  expect(drawn).toEqual([3]);
  feed.gap(2);
  frame();
  expect(texts().at(-1)).toMatch(/^2 lines were left out/);
  expect(feed.picture().dropped).toBe(2);
});

it("stays as it is while it is held, counts what comes, and shows all of it afterwards", () => {
  const { feed, line, frame, texts } = staged();
  line("a");
  frame();
  feed.hold("scroll");
  line("b");
  line("c");
  frame();
  expect([texts(), feed.picture().waiting, feed.picture().held]).toEqual([["a"], 2, "scroll"]);
  feed.follow();
  frame();
  expect([texts(), feed.picture().waiting, feed.picture().held]).toEqual([["a", "b", "c"], 0, null]);
});

it("says what was let go, and how fast lines come", () => {
  const { feed, line, frame, pass } = staged();
  feed.tick();
  for (let place = 0; place < KEPT + 7; place += 1) line(`${place}`);
  pass(2000);
  feed.tick();
  frame();
  const { entries, letGo, rate } = feed.picture();
  expect([entries.length, letGo, rate]).toEqual([KEPT, 7, Math.round((KEPT + 7) / 2)]);
  expect(new Set(entries.map(({ key }) => key)).size).toBe(KEPT);
});

it("marks where the connection was lost, but not at its beginning", () => {
  const { feed, line, frame, texts } = staged();
  feed.cut();
  line("a");
  feed.cut();
  frame();
  expect(texts()).toEqual(["a", "The connection was lost here: lines may be missing"]);
});
