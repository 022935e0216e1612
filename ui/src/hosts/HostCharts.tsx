import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Host } from "../api/types";
import type { Mark } from "../components/chart/marks";
import { exitWords } from "../format/exit";
import { bytes, ratio } from "../format/format";
import { MetricPanel } from "../metrics/MetricPanel";
import { matchers } from "../metrics/quantiles";
import { rateWindow } from "../metrics/window";
import { useTimeRange } from "../time/useTimeRange";
import { exitsQuery } from "./queries";

type Labels = Readonly<Record<string, string>>;

const share = (value: number) => ratio(value, value > 0 && value < 0.01 ? 1 : 0);
const plain = (value: number) => value.toFixed(value < 10 ? 1 : 0);
const perSecond = (value: number) => `${bytes(value)}/s`;
const LOADS: Labels = { host_load1: "1 min", host_load5: "5 min", host_load15: "15 min" };

/** How a host did over the time that is shown. Processes that ended badly stand on the chart of its memory. */
export function HostCharts({ host }: { readonly host: Host }) {
  const range = useTimeRange();
  const window = rateWindow(range);
  const chosen = matchers({ host: host.host });
  const exits = useQuery(exitsQuery(host.host, range)).data;
  const marks = useMemo<readonly Mark[]>(
    () =>
      (exits ?? []).map((exit) => ({
        kind: "event",
        time: Date.parse(exit.time) / 1000,
        tone: "bad",
        name: `${exit.name}: ${exitWords(exit)}`,
      })),
    [exits],
  );
  // Made once: a chart is drawn anew for other marks.
  const processors = useMemo<readonly Mark[]>(
    () => [{ kind: "threshold", value: host.cpus, tone: "idle", name: "as many as processors" }],
    [host.cpus],
  );
  const flow = (metric: string, way: string) =>
    `label_replace(rate(${metric}{${chosen}}[${window}]), "way", "${way}", "", "")`;
  return (
    <div className="grid grid-cols-1 gap-5 lg:grid-cols-2 2xl:grid-cols-3">
      <MetricPanel
        title="CPU by what it did"
        expr={`sum by (mode) (rate(host_cpu_seconds_total{mode!="idle",${chosen}}[${window}])) / scalar(sum(host_cpus{${chosen}}))`}
        name={(labels) => labels.mode ?? ""}
        show={share}
        shape="stacked"
        top={1}
      />
      <MetricPanel
        title="Memory"
        expr={`label_replace(host_memory_used_bytes{${chosen}}, "of", "in use", "", "") or label_replace(host_swap_used_bytes{${chosen}}, "of", "swap in use", "", "")`}
        name={(labels) => labels.of ?? ""}
        show={bytes}
        top={host.memory_total_bytes}
        marks={marks}
      />
      <MetricPanel
        title="Load"
        expr={`{__name__=~"host_load(1|5|15)",${chosen}}`}
        name={(labels) => LOADS[labels.__name__ ?? ""] ?? ""}
        show={plain}
        top={host.cpus}
        marks={processors}
      />
      <MetricPanel
        title="Pressure: share of time in which tasks waited"
        expr={`host_pressure_ratio{${chosen}}`}
        name={({ resource, kind }) => `${resource ?? ""}, ${kind === "full" ? "all waited" : "some waited"}`}
        show={share}
        top={0.05}
        empty="This kernel does not tell of pressure."
      />
      <MetricPanel
        title="Disks"
        expr={`${flow("host_disk_read_bytes_total", "read")} or ${flow("host_disk_written_bytes_total", "written")}`}
        name={({ device, way }) => `${device ?? ""} ${way ?? ""}`}
        show={perSecond}
      />
      <MetricPanel
        title="Disks: share of time at work"
        expr={`rate(host_disk_io_seconds_total{${chosen}}[${window}])`}
        name={({ device }) => device ?? ""}
        show={share}
        top={0.1}
      />
      <MetricPanel
        title="Network"
        expr={`${flow("host_network_receive_bytes_total", "in")} or ${flow("host_network_transmit_bytes_total", "out")}`}
        name={({ device, way }) => `${device ?? ""} ${way ?? ""}`}
        show={perSecond}
      />
      <MetricPanel
        title="Disk space in use"
        expr={`host_filesystem_usage_ratio{${chosen}}`}
        name={({ mountpoint }) => mountpoint ?? ""}
        show={share}
        top={1}
      />
    </div>
  );
}
