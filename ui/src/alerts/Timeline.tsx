import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { AlertDetail } from "../api/types";
import { Dot } from "../components/Dot";
import { Panel } from "../components/Panel";
import { Time } from "../components/Time";
import { deliveriesQuery } from "./queries";
import { stepsOf } from "./timeline";

/** What happened to an alert: its changes, who was told with what outcome, and who did what. Newest first. */
export function Timeline({ alert }: { readonly alert: AlertDetail }) {
  const deliveries = useQuery(deliveriesQuery({}));
  const told = deliveries.data?.items;
  const steps = useMemo(() => stepsOf(alert, told ?? []), [alert, told]);
  const isToldNobody = told !== undefined && !steps.some(({ key }) => key.startsWith("delivery"));
  return (
    <Panel title="What happened to it">
      <ol className="grid gap-3 px-4 pt-1 pb-4">
        {steps.map(({ key, time, tone, text, note }) => (
          <li key={key} className="grid grid-cols-[auto_minmax(0,1fr)] items-baseline gap-x-3">
            <Dot tone={tone} />
            <div>
              <p className="wrap-anywhere">{text}</p>
              {note !== null && <p className="wrap-anywhere text-muted">{note}</p>}
              <p className="text-muted text-xs">
                <Time at={time} />
              </p>
            </div>
          </li>
        ))}
      </ol>
      {steps.length === 0 && <p className="px-4 pb-4 text-muted">Nothing is kept of it.</p>}
      {isToldNobody && alert.state !== "pending" && (
        <p className="px-4 pb-4 text-muted text-xs">
          No notification about it is kept: no channel takes it, or it was long ago.
        </p>
      )}
    </Panel>
  );
}
