import type { StageNow } from "../../api/types";
import { Badge } from "../../components/Badge";
import { brief, bytes, count, rate } from "../../format/format";
import { Metric } from "./Metric";

/** A stage: what runs in it, how much it gets done, how long that takes and what memory it takes. */
export function StageCard({ stage, isSlow }: { readonly stage: StageNow; readonly isSlow: boolean }) {
  return (
    <article
      aria-label={`Stage ${stage.stage}`}
      className={`grid content-start gap-2 rounded-lg border p-3 ${isSlow ? "border-warn" : "border-line"}`}
    >
      <div className="flex items-center justify-between gap-2">
        <h3 className="truncate font-medium" title={stage.stage}>
          {stage.stage}
        </h3>
        {isSlow ? <Badge tone="warn">slowest</Badge> : <Running amount={stage.running} />}
      </div>
      <dl className="grid grid-cols-2 gap-x-3 gap-y-1.5 text-[13px]">
        <Metric term="Done" value={rate(stage.completion_rate)} />
        <Metric term="Memory" value={bytes(stage.memory_peak_bytes)} />
        <Metric term="Median" value={brief(stage.p50_seconds)} />
        <Metric term="95th pct." value={brief(stage.p95_seconds)} />
      </dl>
      <p className="text-muted text-xs tabular-nums">
        {count(stage.completed_total)} done
        {stage.failed_total > 0 && <span className="text-bad">, {count(stage.failed_total)} failed</span>}
      </p>
    </article>
  );
}

function Running({ amount }: { readonly amount: number }) {
  return (
    <span className="whitespace-nowrap text-muted text-xs">
      {amount > 0 ? `${count(amount)} running` : "idle"}
    </span>
  );
}
