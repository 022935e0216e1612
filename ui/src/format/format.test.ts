import { describe, expect, it } from "vitest";
import { ago, brief, bytes, count, decimal, percent, rate, ratio, seconds, UNKNOWN } from "./format";

describe("numbers as people read them", () => {
  it.each([
    [0, "0 s"],
    [0.0001, "<1 ms"],
    [0.24, "240 ms"],
    [0.9999, "1.0 s"],
    [4.23, "4.2 s"],
    [9.96, "10 s"],
    [59.6, "1 min"],
    [200, "3 min 20 s"],
    [3599.7, "1 h"],
    [7_500, "2 h 5 min"],
    [86_400 * 4 + 3 * 3600, "4 d 3 h"],
    [-5, "−5.0 s"],
  ])("%d seconds are %s", (value, text) => expect(seconds(value)).toBe(text));

  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [812 * 1024 ** 2, "812 MiB"],
    [1.44 * 1024 ** 3, "1.4 GiB"],
    [-2048, "−2.0 KiB"],
  ])("%d bytes are %s", (value, text) => expect(bytes(value)).toBe(text));

  it.each([
    [0, "0/min"],
    [0.05, "3.0/min"],
    [2, "120/min"],
    [12.4, "12/s"],
  ])("%d a second is %s", (value, text) => expect(rate(value)).toBe(text));

  it.each([
    [0, "0"],
    [12_345, "12,345"],
    [1 / 30, "0.0333333"],
    [-0.25, "-0.25"],
    [1_234_567, "1.235M"],
    [0.00000012, "1.2e-7"],
    [1.5e21, "1.5e+21"],
  ])("%d of no known unit is %s", (value, text) => expect(decimal(value)).toBe(text));

  it("counts, shares and percents", () => {
    expect([count(1234), count(1_234_567), ratio(0.1234, 1), percent(99.95)]).toEqual([
      "1,234",
      "1.2M",
      "12.3 %",
      "100 %",
    ]);
  });

  it("what is not known is a dash, never a zero or NaN", () => {
    for (const show of [count, decimal, seconds, bytes, rate, ratio, percent]) {
      for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY])
        expect(show(value)).toBe(UNKNOWN);
    }
    expect([ago(null, 0), ago("no time", 0)]).toEqual([UNKNOWN, UNKNOWN]);
  });

  it("a time that our clock holds for the future is now", () => {
    const time = "2026-01-01T00:00:10Z";
    expect(ago(time, Date.parse(time) - 5_000)).toBe("now");
    expect(ago(time, Date.parse(time) + 3_400)).toBe("3 s ago");
    expect(ago(time, Date.parse(time) + 90_000)).toBe("1 min ago");
    expect([brief(200), brief(7_500), brief(0.24), brief(null)]).toEqual(["3 min", "2 h", "240 ms", UNKNOWN]);
  });
});
