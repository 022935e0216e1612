import { expect, it } from "vitest";
import { bucketsExpr, matchers, quantilesExpr } from "./quantiles";

it("selects by what is chosen alone, and lets no value out of its quotes", () => {
  expect(matchers({ service: "ocr", route: undefined, method: "" })).toBe('service="ocr"');
  expect(matchers({ route: 'a"} or up{b="\n\\' })).toBe('route="a\\"} or up{b=\\"\\n\\\\"');
});

it("asks for three quantiles of one histogram, told apart by a label", () => {
  const expr = quantilesExpr("d_seconds", 'service="ocr"', "60s");
  expect(expr.split(" or ")).toHaveLength(3);
  expect(expr).toContain(
    'label_replace(histogram_quantile(0.95, sum by (le) (rate(d_seconds_bucket{service="ocr"}[60s]))), "quantile", "95th percentile", "", "")',
  );
  expect(bucketsExpr("d_seconds", "", "60s")).toBe("sum by (le) (rate(d_seconds_bucket{}[60s]))");
});
