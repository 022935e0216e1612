import { Link } from "@tanstack/react-router";
import type { AlertDetail } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { Time } from "../components/Time";
import { decimal } from "../format/format";
import { AlertActions } from "./AlertActions";
import { stateTone, stateWord } from "./look";
import { toneOf } from "./order";
import { runbookOf } from "./runbook";

/** What an alert says, in which state it is, and what can be done about it. */
export function AlertHead({ alert }: { readonly alert: AlertDetail }) {
  const runbook = runbookOf(alert);
  const tone = toneOf(alert.severity);
  return (
    <div className="grid gap-3">
      <nav aria-label="Where this is" className="text-muted text-xs">
        <Link to="/alerts" className="hover:text-ink hover:underline">
          Alerts
        </Link>{" "}
        / {alert.group}
      </nav>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <h1 className="min-w-0 wrap-anywhere font-semibold text-xl tracking-tight">
          {alert.annotations.summary ?? alert.rule}
        </h1>
        <Badge tone={tone}>{alert.severity}</Badge>
        <Badge tone={alert.state === "firing" ? tone : stateTone(alert.state)}>
          {stateWord(alert.state)}
        </Badge>
      </div>
      {alert.annotations.description !== undefined && (
        <p className="wrap-anywhere">{alert.annotations.description}</p>
      )}
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-muted text-xs">
        <Since alert={alert} />
        {alert.value != null && (
          <span>
            Last value <span className="text-ink tabular-nums">{decimal(alert.value)}</span>
          </span>
        )}
        {alert.last_notified_at && (
          <span>
            Last told <Ago time={alert.last_notified_at} />
          </span>
        )}
        <Link
          to="/alerts"
          search={{ tab: "rules", open: alert.rule_id }}
          className="inline-block py-1 text-ink underline underline-offset-2"
        >
          Rule {alert.rule}
        </Link>
        {runbook !== null && (
          <a href={runbook} className="inline-block py-1 text-ink underline underline-offset-2">
            Runbook: what to do
          </a>
        )}
      </p>
      {alert.acknowledged && alert.state !== "resolved" && (
        <p className="wrap-anywhere rounded-lg bg-raised px-3 py-2">
          Acknowledged by <strong className="font-medium">{alert.acknowledged.by}</strong>{" "}
          <span className="text-muted">
            <Ago time={alert.acknowledged.at} />
          </span>
          {alert.acknowledged.note && <>: {alert.acknowledged.note}</>}
        </p>
      )}
      {alert.held && (
        <p className="rounded-lg bg-raised px-3 py-2">
          It was resolved by hand while its condition held: it stays so until the condition has cleared and
          come back.
        </p>
      )}
      {alert.state !== "resolved" && <AlertActions alert={alert} />}
    </div>
  );
}

function Since({ alert: { state, active_at, fired_at, resolved_at } }: { readonly alert: AlertDetail }) {
  return (
    <>
      <span>
        Condition since{" "}
        <span className="text-ink">
          <Time at={active_at} />
        </span>
      </span>
      {fired_at && (
        <span>
          {state === "firing" ? "Fires since" : "Fired"}{" "}
          <span className="text-ink">
            <Time at={fired_at} />
          </span>
          , <Ago time={fired_at} />
        </span>
      )}
      {resolved_at && (
        <span>
          Over since{" "}
          <span className="text-ink">
            <Time at={resolved_at} />
          </span>
          , <Ago time={resolved_at} />
        </span>
      )}
    </>
  );
}
