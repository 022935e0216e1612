import type { AlertDetail } from "../api/types";
import { Fact, Facts } from "../components/Facts";
import { Panel } from "../components/Panel";
import { PathLink } from "../components/PathLink";
import { placeOf } from "./places";

/** What of: labels, which lead to what they name, and what else the rule says. */
export function AlertLabels({ alert }: { readonly alert: AlertDetail }) {
  const labels = Object.entries(alert.labels);
  const annotations = Object.entries(alert.annotations).filter(
    ([name]) => !["summary", "description", "runbook_url"].includes(name),
  );
  return (
    <Panel title="Labels and annotations">
      <Facts>
        {labels.map(([name, value]) => {
          const place = placeOf(name, value, alert.labels);
          return (
            <Fact key={name} name={name}>
              {place === null ? value : <PathLink href={place}>{value}</PathLink>}
            </Fact>
          );
        })}
        {annotations.map(([name, text]) => (
          <Fact key={`annotation ${name}`} name={name}>
            {text}
          </Fact>
        ))}
      </Facts>
    </Panel>
  );
}
