import type { Rule } from "../api/types";
import { Badge } from "../components/Badge";
import type { Tone } from "../components/tone";
import { toneOf } from "./order";

/** In which state a rule is: the worst of its alerts, or that it could not be evaluated. */
function stateOf({ health, alerts, kind, severity }: Rule): {
  readonly tone: Tone;
  readonly text: string;
  readonly rank: number;
} {
  if (health === "err") return { tone: "bad", text: "failed", rank: 5 };
  if (alerts.firing) return { tone: toneOf(severity ?? ""), text: `${alerts.firing} firing`, rank: 4 };
  if (alerts.acknowledged) return { tone: "note", text: `${alerts.acknowledged} acknowledged`, rank: 3 };
  if (alerts.pending) return { tone: "idle", text: `${alerts.pending} about to fire`, rank: 2 };
  if (health !== "ok") return { tone: "idle", text: "not evaluated yet", rank: 1 };
  return { tone: "good", text: kind === "recording" ? "records" : "quiet", rank: 0 };
}

/** The worse, the higher. */
export function rankOf(rule: Rule): number {
  return stateOf(rule).rank;
}

export function RuleState({ rule }: { readonly rule: Rule }) {
  const { tone, text } = stateOf(rule);
  return <Badge tone={tone}>{text}</Badge>;
}
