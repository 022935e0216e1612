import { expect, it } from "vitest";
import { filtersOf, requestSearch, requestsSearch } from "./address";

it("reads filters, and leaves out what is malformed and what is said anyway", () => {
  const search = requestsSearch({
    by: "route",
    status: "5xx",
    method: "GET",
    q: "  ",
    user: 3,
    min_duration: "0.25",
    from: "now-1h",
  });
  expect(search.by).toBe(undefined);
  expect(filtersOf(search)).toEqual({ status: "5xx", method: "GET", user: "3", min_duration: "0.25" });
  expect(filtersOf(requestsSearch({ status: "x", method: "<b>", min_duration: "-1", by: "colour" }))).toEqual(
    {},
  );
});

it.each(["404", "5xx"])("takes %s for a status", (status) => {
  expect(requestsSearch({ status }).status).toBe(status);
});

it("takes only a time for when a request was answered", () => {
  expect(requestSearch({ at: "2026-01-31T12:00:00.123456Z" }).at).toBe("2026-01-31T12:00:00.123456Z");
  expect(requestSearch({ at: "2026-31-31T12:00:00Z" }).at).toBe(undefined);
  expect(requestSearch({ at: "' OR 1=1" }).at).toBe(undefined);
});
