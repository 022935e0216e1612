import { expect, it } from "vitest";
import type { Alert } from "../api/types";
import { byUrgency, toneOf } from "./order";

const alert = (id: string, state: string, severity: string, second = 0) =>
  ({ id, state, severity, active_at: new Date(second * 1000).toISOString() }) as Alert;

it("shows what fires and is severe first, and the newest of its like", () => {
  const alerts = [
    alert("pending", "pending", "critical"),
    alert("old", "firing", "warning", 1),
    alert("taken", "acknowledged", "critical"),
    alert("new", "firing", "warning", 2),
    alert("grave", "firing", "critical"),
  ];
  expect(byUrgency(alerts).map((alert) => alert.id)).toEqual(["grave", "new", "old", "taken", "pending"]);
});

it("colours severities", () => {
  expect(["critical", "error", "warning", "info", "odd"].map(toneOf)).toEqual([
    "bad",
    "bad",
    "warn",
    "note",
    "note",
  ]);
});
