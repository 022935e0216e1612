import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { AlertDetail } from "../api/types";
import { Button } from "../components/Button";
import type { Mark } from "../components/chart/marks";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { between, isLive } from "../time/range";
import { spanNow, useSetTimeRange, useTimeRange } from "../time/useTimeRange";
import { toneOf } from "./order";
import { rulesQuery } from "./queries";
import { RuleChart } from "./RuleChart";
import { episodesOf } from "./timeline";

const TITLE = "What the rule watches";
/** How much is shown before and after it fired, in seconds. */
const AROUND = 15 * 60;

/** The rule's expression against its threshold, with the times in which the alert fired. */
export function AlertChart({ alert }: { readonly alert: AlertDetail }) {
  const rules = useQuery(rulesQuery);
  const range = useTimeRange();
  const go = useSetTimeRange();
  const marks = useMarks(alert);
  const rule = rules.data?.items.find(({ id }) => id === alert.rule_id);
  if (!rule) {
    return (
      <Panel title={TITLE}>
        {rules.error && !rules.data ? (
          <Failure error={rules.error} retry={() => void rules.refetch()} />
        ) : rules.data ? (
          <Empty title="Its rule is no more">
            It was changed or removed, so there is no expression to draw. The timeline still tells what
            happened.
          </Empty>
        ) : (
          <div className="p-4">
            <Loading className="h-44" />
          </div>
        )}
      </Panel>
    );
  }
  const around = aroundOf(alert);
  const { start, end } = spanNow(range);
  const isInSight = around.fired >= start && around.fired <= end;
  return (
    <RuleChart
      title={TITLE}
      rule={rule}
      of={alert.labels}
      marks={marks}
      aside={
        <>
          {!isInSight && <span className="text-warn max-sm:hidden">It began at another time.</span>}
          <Button
            className="h-7 text-ink"
            onClick={() => go(between(around.start, Math.min(around.end, Date.now() / 1000)))}
          >
            {isInSight && isLive(range) ? "Show just around it" : "Show the time around it"}
          </Button>
        </>
      }
    />
  );
}

/** The last time that it fired, with something before and after, in seconds since the epoch. */
function aroundOf({ active_at, fired_at, resolved_at }: AlertDetail) {
  const fired = Date.parse(fired_at ?? active_at) / 1000;
  const start = Date.parse(active_at) / 1000 - AROUND;
  const end = resolved_at ? Date.parse(resolved_at) / 1000 + AROUND : Number.POSITIVE_INFINITY;
  return { fired, start, end };
}

function useMarks(alert: AlertDetail): readonly Mark[] {
  return useMemo(() => {
    const tone = toneOf(alert.severity);
    // What still fires does so to the edge of the chart, wherever that has gone when it is drawn.
    const spans = episodesOf(alert, Date.now() / 1000 + 3_600).map(
      ({ start, end }): Mark => ({ kind: "span", start, end, tone, name: "it fired" }),
    );
    const events = alert.history.flatMap(({ time, to, actor }): readonly Mark[] => {
      const at = Date.parse(time) / 1000;
      const by = actor ? ` by ${actor}` : "";
      if (to === "firing") return [{ kind: "event", time: at, tone, name: "it fired" }];
      if (to === "acknowledged")
        return [{ kind: "event", time: at, tone: "note", name: `acknowledged${by}` }];
      if (to === "resolved") return [{ kind: "event", time: at, tone: "good", name: `resolved${by}` }];
      return [];
    });
    return [...spans, ...events];
  }, [alert]);
}
