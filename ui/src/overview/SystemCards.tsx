import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { SystemMetric } from "../api/types";
import { Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { TimeChart } from "../components/TimeChart";
import { count, percent } from "../format/format";
import { PERIOD_NAMES, PERIOD_SECONDS, type Period } from "./period";
import { systemStatsQuery } from "./queries";
import { withGaps } from "./series";

/** CPU, memory and queue length: now, on average, and over the period. */
export function SystemCards({ period }: { readonly period: Period }) {
  const stats = useQuery(systemStatsQuery(period));
  const data = stats.data;
  if (!data) {
    return stats.error ? (
      <Panel title="CPU, memory and queue length">
        <Failure error={stats.error} retry={() => void stats.refetch()} />
      </Panel>
    ) : (
      <div className="grid gap-5 lg:grid-cols-3">
        <Loading className="h-52" />
        <Loading className="h-52" />
        <Loading className="h-52" />
      </div>
    );
  }
  const shared = { metrics: data.metrics, period, at: stats.dataUpdatedAt };
  const asPercent = (value: number) => percent(value, 1);
  return (
    <div className="grid gap-5 lg:grid-cols-3">
      <SystemCard
        {...shared}
        title="CPU usage"
        now={asPercent(data.current_cpu_usage)}
        average={asPercent(data.avg_cpu_usage)}
        value={(metric) => metric.cpu_usage}
        show={percent}
        top={100}
      />
      <SystemCard
        {...shared}
        title="Memory usage"
        now={asPercent(data.current_memory_usage)}
        average={asPercent(data.avg_memory_usage)}
        value={(metric) => metric.memory_usage}
        show={percent}
        top={100}
      />
      <SystemCard
        {...shared}
        title="Queue length"
        unit="tasks waiting"
        now={count(data.current_queue_length)}
        average={data.avg_queue_length.toFixed(1)}
        value={(metric) => metric.queue_length}
        show={count}
        top={10}
      />
    </div>
  );
}

interface Props {
  readonly title: string;
  readonly unit?: string;
  readonly now: string;
  readonly average: string;
  readonly metrics: readonly SystemMetric[];
  readonly value: (metric: SystemMetric) => number;
  readonly show: (value: number) => string;
  readonly top: number;
  readonly period: Period;
  /** When the numbers were asked for, in milliseconds. */
  readonly at: number;
}

function SystemCard({ title, unit, now, average, metrics, value, show, top, period, at }: Props) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: `value` only picks a field
  const [times, lines] = useMemo(() => {
    const [times, values] = withGaps(metrics, value, period);
    return [times, [{ values }]] as const;
  }, [metrics, period]);
  const span = useMemo(() => [at / 1000 - PERIOD_SECONDS[period], at / 1000] as const, [at, period]);
  return (
    <Panel title={title} aside={`Average ${average}`}>
      <div className="px-4 pb-3">
        <p className="pb-1">
          <span className="font-semibold text-2xl tabular-nums tracking-tight">{now}</span>
          {unit !== undefined && <span className="pl-1.5 text-muted">{unit}</span>}
        </p>
        {metrics.length === 0 ? (
          <p className="grid h-[120px] place-items-center text-muted">
            Nothing is stored of this period yet.
          </p>
        ) : (
          <TimeChart
            label={`${title}, ${PERIOD_NAMES[period].toLowerCase()}: now ${now}, on average ${average}`}
            times={times}
            lines={lines}
            span={span}
            show={show}
            top={top}
          />
        )}
      </div>
    </Panel>
  );
}
