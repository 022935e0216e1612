import { count, rate, seconds } from "../format/format";
import type { Labels } from "../metrics/answer";
import { MetricPanel } from "../metrics/MetricPanel";
import { selector } from "../metrics/selector";
import { STATE_NAMES } from "./address";

const byState = ({ state = "" }: Labels) =>
  (STATE_NAMES as Readonly<Record<string, string>>)[state]?.toLowerCase() ?? state;
const byWay = ({ __name__: name }: Labels) => (name === "queue_arrival_rate" ? "arrive" : "done");

/** A queue over the time that the page shows. */
export function QueueCharts({ queue }: { readonly queue: string }) {
  const which = selector({ queue });
  const rates = selector({ queue }).slice(1);
  return (
    <div className="grid grid-cols-1 gap-5 lg:grid-cols-3">
      <MetricPanel
        title="Tasks by state"
        expr={`sum by (state) (queue_depth${which})`}
        name={byState}
        show={count}
        shape="stacked"
        top={10}
        legend
        empty="Depths are written every 15 seconds once the queue is known."
      />
      <MetricPanel
        title="What arrives, and what is done"
        expr={`{__name__=~"queue_arrival_rate|queue_completion_rate", ${rates}`}
        name={byWay}
        show={rate}
        legend
      />
      <MetricPanel
        title="Age of the oldest"
        // The dead are older than all others by far, and nobody waits for them.
        expr={`max by (state) (queue_oldest_age_seconds{state!="dead", ${rates})`}
        name={byState}
        show={seconds}
        top={1}
        legend
      />
    </div>
  );
}
