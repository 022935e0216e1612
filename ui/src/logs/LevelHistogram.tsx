import { useMemo } from "react";
import type { LogHistogram } from "../api/types";
import { TimeChart } from "../components/chart/TimeChart";
import { Dot } from "../components/Dot";
import { Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { count, seconds } from "../format/format";
import { levelChart } from "./levels";

/** How many lines there were, over time and by level. Dragging over it zooms into a time. */
export function LevelHistogram({ histogram }: { readonly histogram: LogHistogram | undefined }) {
  const chart = useMemo(() => histogram && levelChart(histogram), [histogram]);
  return (
    <Panel
      title="Lines over time"
      aside={
        histogram && (
          <span className="flex flex-wrap items-center justify-end gap-x-3">
            <Named tone="bad" name="errors" />
            <Named tone="warn" name="warnings" />
            <Named tone="idle" name="others" />
            <span className="tabular-nums">
              {count(histogram.total)} lines, a column is {seconds(histogram.step_seconds)}
            </span>
          </span>
        )
      }
    >
      <div className="px-4 pb-2">
        {chart ? (
          <TimeChart
            label="Lines over time by level"
            times={chart.times}
            lines={chart.lines}
            span={chart.span}
            show={count}
            shape="columns"
            height={110}
          />
        ) : (
          <Loading className="mb-2 h-[110px]" />
        )}
      </div>
    </Panel>
  );
}

function Named({ tone, name }: { readonly tone: "bad" | "warn" | "idle"; readonly name: string }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <Dot tone={tone} />
      {name}
    </span>
  );
}
