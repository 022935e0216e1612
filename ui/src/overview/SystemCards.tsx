import { count, ratio } from "../format/format";
import { MetricPanel } from "../metrics/MetricPanel";

const percent = (value: number) => ratio(value);

/** CPU, memory and queue length: now, on average, and over the time that is shown. */
export function SystemCards() {
  return (
    <div className="grid gap-5 lg:grid-cols-3">
      <MetricPanel
        title="CPU usage"
        expr="host_cpu_usage_ratio"
        name={hostName}
        show={percent}
        top={1}
        height={120}
        figure
      />
      <MetricPanel
        title="Memory usage"
        expr="host_memory_usage_ratio"
        name={hostName}
        show={percent}
        top={1}
        height={120}
        figure
      />
      <MetricPanel
        title="Queue length"
        expr='sum(queue_depth{state="pending"})'
        name={tasks}
        show={count}
        top={10}
        height={120}
        figure
      />
    </div>
  );
}

function hostName(labels: Readonly<Record<string, string>>): string {
  return labels.host ?? "host";
}

function tasks(): string {
  return "tasks that wait";
}
