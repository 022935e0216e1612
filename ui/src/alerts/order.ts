// In which order alerts are shown.

import type { Alert } from "../api/types";
import type { Tone } from "../components/tone";

const STATES = ["firing", "acknowledged", "pending"];
const SEVERITIES = ["critical", "error", "warning", "info"];

/** Firing before acknowledged before pending, the severest first, and of the same the newest. */
export function byUrgency(alerts: readonly Alert[]): readonly Alert[] {
  const rank = (alert: Alert) => STATES.indexOf(alert.state) * 10 + SEVERITIES.indexOf(alert.severity);
  return [...alerts].sort((a, b) => rank(a) - rank(b) || Date.parse(b.active_at) - Date.parse(a.active_at));
}

/** The colour of a severity. */
export function toneOf(severity: string): Tone {
  return severity === "critical" || severity === "error" ? "bad" : severity === "warning" ? "warn" : "note";
}
