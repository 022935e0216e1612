import type { Rule } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import type { Column } from "../components/sorting";
import type { Tone } from "../components/tone";
import { seconds } from "../format/format";
import { SEVERITIES } from "./address";
import { toneOf } from "./order";
import { RuleValue } from "./RuleValue";

const SEVERITY_NAMES: readonly string[] = SEVERITIES;

/** The columns of the table of rules. */
export function ruleColumns(onOpen: (id: string) => void): readonly Column<Rule>[] {
  return [
    {
      id: "state",
      head: "State",
      cell: (rule) => <RuleState rule={rule} />,
      sort: (rule) => rankOf(rule),
    },
    {
      id: "name",
      head: "Rule",
      cell: ({ id, name }) => (
        <button
          type="button"
          onClick={() => onOpen(id)}
          title={name}
          className="max-w-full truncate font-medium underline-offset-2 hover:underline"
        >
          {name}
        </button>
      ),
      sort: ({ name }) => name,
      className: "max-w-72",
    },
    { id: "group", head: "Group", cell: ({ group }) => group, sort: ({ group }) => group },
    {
      id: "severity",
      head: "Severity",
      cell: ({ severity }) => (severity ? <Badge tone={toneOf(severity)}>{severity}</Badge> : "–"),
      sort: ({ severity }) => (severity ? -SEVERITY_NAMES.indexOf(severity) : null),
    },
    {
      id: "value",
      head: "Value and threshold",
      cell: (rule) => <RuleValue rule={rule} />,
      isNumber: true,
    },
    {
      id: "evaluated",
      head: "Evaluated",
      cell: ({ last_evaluation }) => <Ago time={last_evaluation} />,
      sort: ({ last_evaluation }) => (last_evaluation ? Date.parse(last_evaluation) : null),
      isNumber: true,
    },
    {
      id: "took",
      head: "Took",
      cell: ({ duration_seconds }) => seconds(duration_seconds),
      sort: ({ duration_seconds }) => duration_seconds ?? null,
      isNumber: true,
    },
    {
      id: "fault",
      head: "What is wrong with it",
      cell: ({ last_error, warnings }) => {
        const fault = last_error ?? warnings[0];
        return fault ? (
          <span title={fault} className={last_error ? "text-bad" : "text-warn"}>
            {fault}
          </span>
        ) : (
          "–"
        );
      },
      sort: ({ last_error, warnings }) => last_error ?? warnings[0] ?? null,
      className: "max-w-96 truncate",
    },
  ];
}

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

function rankOf(rule: Rule): number {
  return stateOf(rule).rank;
}

export function RuleState({ rule }: { readonly rule: Rule }) {
  const { tone, text } = stateOf(rule);
  return <Badge tone={tone}>{text}</Badge>;
}
