import type { Rule } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import type { Column } from "../components/sorting";
import { seconds } from "../format/format";
import { SEVERITIES } from "./address";
import { toneOf } from "./order";
import { RuleState, rankOf } from "./RuleState";
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
