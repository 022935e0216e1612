import { Link } from "@tanstack/react-router";
import { Accordion } from "radix-ui";
import { useEffect, useRef } from "react";
import type { Alert } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { TONE_FILL } from "../components/tone";
import { AlertActions } from "./AlertActions";
import { Evidence } from "./Evidence";
import { toneOf } from "./order";
import { runbookOf } from "./runbook";

/** One alert: a line, and opened, what is known of it and what can be done. */
export function AlertItem({ alert, isOpen }: { readonly alert: Alert; readonly isOpen: boolean }) {
  const tone = toneOf(alert.severity);
  const item = useRef<HTMLDivElement>(null);
  // One that is open from the first is named by the address: somebody followed a link to it.
  const isNamed = useRef(isOpen);
  useEffect(() => {
    if (isNamed.current) item.current?.scrollIntoView({ block: "start" });
  }, []);
  return (
    <Accordion.Item ref={item} value={alert.id} className="scroll-mt-20 border-line border-t">
      <Accordion.Header asChild>
        <h3>
          <Accordion.Trigger className="grid w-full grid-cols-[auto_auto_minmax(0,1fr)_auto_auto] items-center gap-x-3 px-4 py-2.5 text-left hover:bg-raised max-sm:grid-cols-[auto_auto_minmax(0,1fr)_auto]">
            <span aria-hidden="true" className={`h-5 w-1 rounded-full ${TONE_FILL[tone]}`} />
            <Badge tone={tone}>{alert.severity}</Badge>
            <span className="min-w-0 truncate max-sm:order-last max-sm:col-span-full max-sm:whitespace-normal max-sm:pt-1.5">
              <span className="font-medium">{alert.annotations.summary ?? alert.rule}</span>
            </span>
            <span className="flex items-center gap-3 text-muted text-xs">
              {alert.state !== "firing" && <Badge tone="idle">{alert.state}</Badge>}
              <Ago time={alert.fired_at ?? alert.active_at} />
            </span>
            <svg
              aria-hidden="true"
              viewBox="0 0 16 16"
              fill="none"
              className={`size-4 text-muted transition-transform max-sm:hidden ${isOpen ? "rotate-180" : ""}`}
            >
              <path d="m4 6 4 4 4-4" stroke="currentColor" strokeWidth="1.500" strokeLinecap="round" />
            </svg>
          </Accordion.Trigger>
        </h3>
      </Accordion.Header>
      <Accordion.Content className="px-4 pb-4 sm:pl-9">
        <Details alert={alert} />
      </Accordion.Content>
    </Accordion.Item>
  );
}

function Details({ alert }: { readonly alert: Alert }) {
  const runbook = runbookOf(alert);
  return (
    <div className="grid gap-4 pt-1">
      <div className="grid gap-1.5">
        {alert.annotations.description !== undefined && <p>{alert.annotations.description}</p>}
        <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-muted text-xs">
          <span>
            Rule <span className="text-ink">{alert.rule}</span>
          </span>
          {alert.value != null && (
            <span>
              Value <span className="text-ink tabular-nums">{Number(alert.value.toPrecision(4))}</span>
            </span>
          )}
          <span>
            Since <time dateTime={alert.active_at}>{new Date(alert.active_at).toLocaleString("en-GB")}</time>
          </span>
          <Link
            to="/alerts/$id"
            params={{ id: alert.id }}
            className="inline-block py-1 text-ink underline underline-offset-2"
          >
            All about this alert
          </Link>
          {runbook !== null && (
            <a href={runbook} className="inline-block py-1 text-ink underline underline-offset-2">
              Runbook: what to do
            </a>
          )}
        </p>
      </div>
      {alert.acknowledged && (
        <p className="rounded-lg bg-raised px-3 py-2">
          Acknowledged by <strong className="font-medium">{alert.acknowledged.by}</strong>{" "}
          <span className="text-muted">
            <Ago time={alert.acknowledged.at} />
          </span>
          {alert.acknowledged.note && <>: {alert.acknowledged.note}</>}
        </p>
      )}
      <AlertActions alert={alert} />
      <Evidence evidence={alert.evidence} state={alert.state} />
    </div>
  );
}
