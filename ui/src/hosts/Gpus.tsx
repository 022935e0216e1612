import { useQuery } from "@tanstack/react-query";
import type { Host } from "../api/types";
import { Empty } from "../components/Notices";
import { Panel } from "../components/Panel";
import { bytes, count, ratio } from "../format/format";
import { MetricPanel } from "../metrics/MetricPanel";
import { matchers } from "../metrics/quantiles";
import { GpuCard } from "./GpuCard";
import { gpuCollectorsQuery } from "./queries";

/** The GPUs of hosts: how busy, full and warm they are, and who holds their memory. */
export function Gpus({ hosts }: { readonly hosts: readonly Host[] }) {
  const gpus = hosts.flatMap((host) => host.gpus.map((gpu) => ({ host: host.host, gpu })));
  const only = hosts.length === 1 ? hosts[0]?.host : undefined;
  if (gpus.length === 0) return <NoGpu />;
  return (
    <>
      <div className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,400px),1fr))] gap-5">
        {gpus.map(({ host, gpu }) => (
          <GpuCard key={`${host} ${gpu.index}`} host={host} gpu={gpu} />
        ))}
      </div>
      <GpuCharts host={only} />
    </>
  );
}

function NoGpu() {
  const collector = useQuery(gpuCollectorsQuery).data?.[0];
  return (
    <Panel title="GPUs">
      <Empty title="No GPU is seen">
        NVIDIA&apos;s are watched where Watchkeeper runs and the driver&apos;s library{" "}
        <code>libnvidia-ml.so.1</code> can be loaded; in a container it must be passed in, as{" "}
        <code>docker run --gpus all</code> does.
        {collector?.last_error && <> It says: {collector.last_error}.</>}
      </Empty>
    </Panel>
  );
}

function GpuCharts({ host }: { readonly host: string | undefined }) {
  const chosen = matchers({ host });
  const and = chosen === "" ? "" : `{${chosen}}`;
  const name = (labels: Readonly<Record<string, string>>) =>
    [`GPU ${labels.gpu ?? ""}`, host === undefined ? labels.host : undefined].filter(Boolean).join(" of ");
  const holder = (labels: Readonly<Record<string, string>>) =>
    `${labels.name || labels.pid || ""} on ${name(labels)}`;
  const charts = [
    { title: "GPUs at work", metric: "gpu_utilization_ratio", show: ratio, top: 1, name },
    { title: "GPU memory", metric: "gpu_memory_used_bytes", show: bytes, top: 0, name },
    { title: "GPU memory by process", metric: "gpu_process_memory_bytes", show: bytes, top: 0, name: holder },
    { title: "GPU temperature", metric: "gpu_temperature_celsius", show: celsius, top: 60, name },
    { title: "GPU power", metric: "gpu_power_watts", show: watts, top: 0, name },
    { title: "GPU clocks held down", metric: "gpu_throttled", show: count, top: 1, name: reason },
  ];
  return (
    <div className="grid grid-cols-1 gap-5 lg:grid-cols-2 2xl:grid-cols-3">
      {charts.map(({ title, metric, show, top, name }) => (
        <MetricPanel key={title} title={title} expr={`${metric}${and}`} name={name} show={show} top={top} />
      ))}
    </div>
  );
}

export function celsius(value: number): string {
  return `${Math.round(value)} °C`;
}

export function watts(value: number): string {
  return `${Math.round(value)} W`;
}

function reason({ gpu = "", reason = "" }: Readonly<Record<string, string>>): string {
  return `GPU ${gpu}: ${reason.replaceAll("_", " ")}`;
}
