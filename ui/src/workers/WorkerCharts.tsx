import type { Worker } from "../api/types";
import type { Mark } from "../components/chart/marks";
import { bytes, count, ratio, seconds } from "../format/format";
import type { Labels } from "../metrics/answer";
import { MetricPanel } from "../metrics/MetricPanel";
import { selector } from "../metrics/selector";

interface Props {
  readonly worker: Worker;
  /** Beginnings and bad ends. */
  readonly marks: readonly Mark[];
}

const names: Readonly<Record<string, string>> = {
  worker_gpu_ratio: "GPU",
  worker_gpu_memory_ratio: "its memory",
};
const byMetric = ({ __name__: name = "" }: Labels) => names[name] ?? name;
const itself = () => "";
const share = (value: number) => ratio(value);

/** A worker over the time that the page shows; each restart and each bad end is marked. */
export function WorkerCharts({ worker, marks }: Props) {
  const which = selector({ worker: worker.worker_id });
  const labels = which.slice(1);
  return (
    <div className="grid grid-cols-1 gap-5 lg:grid-cols-2">
      <MetricPanel
        title="Memory"
        expr={`worker_memory_bytes${which}`}
        name={itself}
        show={bytes}
        marks={marks}
        figure
      />
      <MetricPanel
        title="CPU"
        aside="of one core"
        expr={`worker_cpu_ratio${which}`}
        name={itself}
        show={share}
        top={1}
        marks={marks}
        figure
      />
      <MetricPanel
        title="Tasks in work"
        expr={`worker_active_tasks${which}`}
        name={itself}
        show={count}
        top={1}
        marks={marks}
        figure
      />
      <MetricPanel
        title="Age of its heartbeat"
        aside="stale after 60 s"
        expr={`worker_heartbeat_age_seconds${which}`}
        name={itself}
        show={seconds}
        top={30}
        marks={marks}
        figure
      />
      {worker.gpu_percent != null && (
        <MetricPanel
          title="GPU"
          expr={`{__name__=~"worker_gpu_ratio|worker_gpu_memory_ratio", ${labels}`}
          name={byMetric}
          show={share}
          top={1}
          marks={marks}
          legend
        />
      )}
    </div>
  );
}
