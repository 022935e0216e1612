import { describe, expect, it } from "vitest";
import { exploreSearch, prometheusSearch } from "./address";

describe("an address of our own", () => {
  it("holds the whole state", () => {
    const search = { expr: "up", tab: "table" };
    expect(exploreSearch(search)).toEqual(search);
  });

  it("leaves out what is so anyway, and what is malformed", () => {
    expect(exploreSearch({ expr: "  ", tab: "pie", other: "x" })).toEqual({});
    expect(exploreSearch({})).toEqual({});
    expect(exploreSearch({ expr: "up", tab: "graph" })).toEqual({ expr: "up" });
  });

  it.each([
    [1, "1"],
    [0.5, "0.5"],
    [true, "true"],
    [["up", "down"], "up"],
    ["a\nb", "a\nb"],
  ])("asks for %j as the text %j", (expr, text) => expect(exploreSearch({ expr })).toEqual({ expr: text }));
});

describe("an address as Prometheus has it", () => {
  it.each([
    [{ "g0.expr": 'up{a="b"}', "g0.tab": 0 }, { expr: 'up{a="b"}' }],
    [
      { "g0.expr": "up", "g0.tab": 1 },
      { expr: "up", tab: "table" },
    ],
    [{ "g0.expr": "up", "g0.tab": "graph" }, { expr: "up" }],
    [{ "g0.expr": "up" }, { expr: "up", tab: "table" }],
    [
      { "g0.expr": "up", "g0.tab": 0, "g0.range_input": "2h", "g0.end_input": "2026-01-31 12:00:00" },
      { expr: "up", from: "2026-01-31T10:00:00Z", to: "2026-01-31T12:00:00Z" },
    ],
    [
      { "g0.expr": "up", "g0.tab": 0, "g0.range_input": "2h" },
      { expr: "up", from: "now-2h", to: "now" },
    ],
    [
      { "g0.expr": "up", "g0.tab": 1, "g0.moment_input": "2026-01-31 12:00", "g0.end_input": "" },
      { expr: "up", tab: "table", from: "2026-01-31T11:00:00Z", to: "2026-01-31T12:00:00Z" },
    ],
    [
      { "g0.expr": "up", "g0.tab": 0, "g0.range_input": "long", "g0.end_input": "late", "g1.expr": "x" },
      { expr: "up" },
    ],
    [{}, { tab: "table" }],
  ])("%j is %j", (query, search) => expect(prometheusSearch(query)).toEqual(search));
});
