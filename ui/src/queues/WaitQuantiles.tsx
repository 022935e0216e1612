import { seconds } from "../format/format";
import type { Labels } from "../metrics/answer";
import { MetricPanel } from "../metrics/MetricPanel";
import { selector } from "../metrics/selector";

const NAMES: Readonly<Record<string, string>> = {
  "0.5": "half wait less",
  "0.95": "95 of 100 wait less",
  "0.99": "99 of 100 wait less",
};
const byQuantile = ({ quantile = "" }: Labels) => NAMES[quantile] ?? quantile;

/** How long tasks waited from submission to start, over time. */
export function WaitQuantiles({ queue }: { readonly queue: string }) {
  const buckets = `sum by (le) (rate(queue_wait_seconds_bucket${selector({ queue })}[5m]))`;
  const expr = Object.keys(NAMES)
    .map((share) => `label_replace(histogram_quantile(${share}, ${buckets}), "quantile", "${share}", "", "")`)
    .join("\nor\n");
  return (
    <MetricPanel
      title="How long tasks wait"
      aside="over 5 minutes each"
      expr={expr}
      name={byQuantile}
      show={seconds}
      legend
      empty="Waits are known of jobs whose events say when they were submitted and started."
    />
  );
}
