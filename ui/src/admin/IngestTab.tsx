import { count } from "../format/format";
import type { Labels } from "../metrics/answer";
import { MetricPanel } from "../metrics/MetricPanel";
import { Accounts } from "./Accounts";

const perSecond = (value: number) => `${value < 10 ? Number(value.toPrecision(2)) : count(value)}/s`;

/** What came in and from where, what was not taken and why, and what was redacted before it was stored. */
export function IngestTab() {
  return (
    <>
      <div className="grid gap-5 lg:grid-cols-2">
        <MetricPanel
          title="Taken, each second"
          expr="sum by (source, kind) (rate(watchkeeper_ingest_accepted_total[5m]))"
          name={sourceAndKind}
          show={perSecond}
          empty="Nothing came in."
        />
        <MetricPanel
          title="Not taken, each second"
          expr="sum by (source, kind, reason) (rate(watchkeeper_ingest_refused_total[5m]))"
          name={sourceKindReason}
          show={perSecond}
          empty="Nothing was turned away."
        />
      </div>
      <Accounts
        title="Taken"
        metric="watchkeeper_ingest_accepted_total"
        labels={["source", "kind"]}
        empty="Nothing came in yet. Events, metrics, logs and traces that are sent are counted here."
      />
      <Accounts
        title="Not taken, and why"
        metric="watchkeeper_ingest_refused_total"
        labels={["source", "kind", "reason"]}
        empty="Nothing was turned away since Watchkeeper was started."
        isFault
      />
      <Accounts
        title="Taken with flaws"
        metric="watchkeeper_ingest_flaws_total"
        labels={["source", "flaw"]}
        empty="No record was cut or odd since Watchkeeper was started."
      />
      <Accounts
        title="Redacted before it was stored"
        metric="watchkeeper_redactions_total"
        labels={["detector", "source", "action"]}
        empty="No secret and no personal data was found since Watchkeeper was started."
      />
    </>
  );
}

function sourceAndKind({ source = "", kind = "" }: Labels): string {
  return `${source}: ${kind}s`;
}

function sourceKindReason({ source = "", kind = "", reason = "" }: Labels): string {
  return `${source}: ${kind}s, ${reason.replaceAll("_", " ")}`;
}
