import { Link } from "@tanstack/react-router";
import type { Alert } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { TONE_FILL } from "../components/tone";
import { LabelList } from "./LabelList";
import { stateTone, stateWord } from "./look";
import { toneOf } from "./order";

/** An alert in a list: how bad it is, what it says, of what, and since when. */
export function AlertRow({ alert }: { readonly alert: Alert }) {
  const tone = toneOf(alert.severity);
  return (
    <li className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 border-line border-t px-4 py-2.5 hover:bg-raised">
      <span aria-hidden="true" className={`w-1 rounded-full ${TONE_FILL[tone]}`} />
      <div className="grid gap-1.5">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <Badge tone={tone}>{alert.severity}</Badge>
          {alert.state !== "firing" && <Badge tone={stateTone(alert.state)}>{stateWord(alert.state)}</Badge>}
          <Link
            to="/alerts/$id"
            params={{ id: alert.id }}
            className="min-w-0 wrap-anywhere font-medium underline-offset-2 hover:underline"
          >
            {alert.annotations.summary ?? alert.rule}
          </Link>
          <span className="ml-auto text-muted text-xs max-sm:ml-0">
            {alert.acknowledged && <>by {alert.acknowledged.by}, </>}
            <Ago time={alert.fired_at ?? alert.active_at} />
          </span>
        </div>
        {alert.annotations.description !== undefined && (
          <p className="line-clamp-2 wrap-anywhere text-muted">{alert.annotations.description}</p>
        )}
        <LabelList labels={alert.labels} hidden={["alertname", "severity"]} />
      </div>
    </li>
  );
}
