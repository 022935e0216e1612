import { describe, expect, it } from "vitest";
import {
  between,
  durationSeconds,
  lastOf,
  momentOf,
  RANGES,
  relativeName,
  shifted,
  spanOf,
  stepOf,
  toggled,
  widened,
} from "./range";

const NOW = Date.parse("2026-01-31T12:00:00Z");

describe("a range of time", () => {
  it.each([
    ["now", "2026-01-31T12:00:00Z"],
    ["now-6h", "2026-01-31T06:00:00Z"],
    ["now-1d12h", "2026-01-30T00:00:00Z"],
    ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"],
    ["2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z"],
  ])("reads an end: %s", (text, time) => {
    expect(momentOf(text, NOW)).toBe(Date.parse(time) / 1000);
  });

  it.each([
    "",
    "now-",
    "now-x",
    "now+1h",
    "yesterday",
    "2026-13-01T00:00:00Z",
    "2026-01-01",
    "now-900y",
    "1969-01-01T00:00:00Z",
  ])("takes no nonsense: %j", (text) => {
    expect(momentOf(text, NOW)).toBeNull();
  });

  it("has its ends in order", () => {
    expect(spanOf({ from: "now", to: "now-1h" }, NOW)).toBeNull();
    expect(spanOf({ from: "now-1h", to: "now-1h" }, NOW)).toBeNull();
    const { start, end } = spanOf(lastOf("1h"), NOW) ?? { start: 0, end: 0 };
    expect(end - start).toBe(3600);
  });

  it("goes back and forward by its length, and not beyond now", () => {
    const span = { start: NOW / 1000 - 3600, end: NOW / 1000 };
    expect(shifted(span, -1, NOW)).toEqual({ from: "2026-01-31T10:00:00Z", to: "2026-01-31T11:00:00Z" });
    expect(shifted(span, 1, NOW)).toEqual({ from: "2026-01-31T11:00:00Z", to: "2026-01-31T12:00:00Z" });
    expect(widened(span, NOW)).toEqual({ from: "2026-01-31T10:00:00Z", to: "2026-01-31T12:00:00Z" });
  });

  it("is held, and goes on with the clock again", () => {
    const hour = lastOf("1h");
    const span = spanOf(hour, NOW) ?? { start: 0, end: 0 };
    const held = toggled(hour, span, NOW);
    expect(held).toEqual({ from: "2026-01-31T11:00:00Z", to: "2026-01-31T12:00:00Z" });
    expect(toggled(held, span, NOW + 60_000)).toEqual(hour);
    expect(toggled(held, { start: 0, end: 90 }, NOW)).toEqual(lastOf("90s"));
  });

  it("is never so short that nothing is in it", () => {
    expect(between(100, 100.2)).toEqual({ from: "1970-01-01T00:01:40Z", to: "1970-01-01T00:01:50Z" });
  });

  it.each([
    ["5m", "last 5 minutes"],
    ["1h", "last hour"],
    ["24h", "last 24 hours"],
    ["1d12h", "last 36 hours"],
    ["7d", "last 7 days"],
    ["90s", "last 90 seconds"],
  ])("is told in words: %s", (duration, words) => {
    expect(relativeName(lastOf(duration))).toBe(words);
  });

  it("has a step in whole seconds that gives about as many points for each range", () => {
    for (const range of RANGES) {
      const seconds = durationSeconds(range) ?? 0;
      expect(seconds % stepOf(seconds)).toBe(0);
      expect(seconds / stepOf(seconds)).toBeGreaterThan(100);
      expect(seconds / stepOf(seconds)).toBeLessThanOrEqual(300);
    }
  });
});
