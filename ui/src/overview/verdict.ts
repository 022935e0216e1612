// Whether the whole is well, in one sentence.

import type { AlertsNow } from "../api/types";
import type { Tone } from "../components/tone";

/** The state of the whole, as its alerts tell. */
export function verdict(alerts: AlertsNow): { readonly tone: Tone; readonly text: string } {
  const grave = alerts.critical + alerts.error;
  const parts = [
    named(alerts.critical, "critical alert"),
    named(alerts.error, "error"),
    named(alerts.warning, "warning"),
    named(alerts.info, "notice"),
  ].filter((part) => part !== null);
  const taken = alerts.acknowledged > 0 ? `${alerts.acknowledged} acknowledged` : null;
  if (parts.length === 0) {
    return { tone: "good", text: taken ? `Nothing new is wrong, ${taken}` : "Nothing is wrong" };
  }
  const tone = grave > 0 ? "bad" : alerts.warning > 0 ? "warn" : "note";
  return { tone, text: [...parts, ...(taken ? [taken] : [])].join(", ") };
}

function named(amount: number, name: string): string | null {
  return amount === 0 ? null : `${amount} ${name}${amount === 1 ? "" : "s"}`;
}
