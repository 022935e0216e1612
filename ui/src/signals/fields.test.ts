import { expect, it } from "vitest";
import { lineFields } from "./fields";

it("lists what is known of a line, as a search names it, and leaves out what is shown as a text", () => {
  const fields = lineFields({
    id: "1",
    time: "2026-12-01T00:00:00Z",
    level: "error",
    trace_id: null,
    origin: { service: "ocr", resource_attributes: { "k8s.pod": "p" }, scope_attributes: { a: "b" } },
    conventions: { job_id: "doc-7", http_status_code: 0, exception_stacktrace: "Traceback" },
    attributes: { colour: "red", none: "" },
  });
  expect(fields.map(({ name, value, search }) => [name, value, search])).toEqual([
    ["level", "error", "level"],
    ["job_id", "doc-7", "job_id"],
    ["http_status_code", "0", "http_status_code"],
    ["colour", "red", "colour"],
    ["service", "ocr", "service"],
    ["resource.k8s.pod", "p", "resource.k8s.pod"],
    ["scope.a", "b", null],
    ["id", "1", null],
  ]);
});
