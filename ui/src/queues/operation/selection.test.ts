import { expect, it } from "vitest";
import { offered, previewOf } from "./selection";

const selection = { action: "remove", state: "dead", which: "all", ids: ["a"], olderThan: " 10m " } as const;

it("asks for just what is meant, and for all only when all was said", () => {
  expect(previewOf(selection)).toEqual({ action: "remove", tasks: { state: "dead", all: true } });
  expect(previewOf({ ...selection, which: "chosen" }).tasks).toEqual({ state: "dead", ids: ["a"] });
  expect(previewOf({ ...selection, which: "older" }).tasks).toEqual({ state: "dead", older_than: "10m" });
  expect(previewOf({ ...selection, state: "processing", which: "no_owner" }).tasks).toEqual({
    state: "processing",
    no_owner: true,
  });
});

it("offers what can be, the narrowest first", () => {
  expect(offered("processing", 0)).toEqual(["no_owner", "older", "all"]);
  expect(offered("dead", 2)).toEqual(["chosen", "older", "all"]);
});
