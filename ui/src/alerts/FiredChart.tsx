import { count } from "../format/format";
import type { Labels } from "../metrics/answer";
import { MetricPanel } from "../metrics/MetricPanel";

interface Props {
  readonly severity: string | undefined;
  readonly rule: string | undefined;
}

/** How many alerts fired when, of each rule. */
export default function FiredChart({ severity, rule }: Props) {
  return (
    <MetricPanel
      title="Alerts that fired"
      expr={`sum by (alertname) (ALERTS{${matchersOf(severity, rule)}})`}
      name={ruleName}
      show={count}
      height={120}
      top={3}
      empty="No alert fired in this time. Choose a longer one, or look into the list below."
    />
  );
}

function matchersOf(severity: string | undefined, rule: string | undefined): string {
  const parts = ['alertstate="firing"'];
  // A text of JSON is one of PromQL, too.
  if (severity !== undefined) parts.push(`severity=${JSON.stringify(severity)}`);
  if (rule !== undefined) parts.push(`alertname=${JSON.stringify(rule)}`);
  return parts.join(", ");
}

function ruleName(labels: Labels): string {
  return labels.alertname ?? "alerts";
}
