import type { Host } from "../api/types";
import { Gauge } from "../components/chart/Gauge";
import { bytes, count, ratio } from "../format/format";

/** From which share on it is a warning, and from which it is bad: as the shipped rules have it. */
const BUSY = [0.8, 0.95] as const;
const FULL = [0.85, 0.95] as const;

/** How busy and how full a host is. */
export function HostGauges({ host }: { readonly host: Host }) {
  const fullest = host.filesystems
    .map((one) => ({ ...one, share: one.size_bytes > 0 ? 1 - one.available_bytes / one.size_bytes : 0 }))
    .reduce<{ mountpoint: string; available_bytes: number; share: number } | null>(
      (most, one) => (most === null || one.share > most.share ? one : most),
      null,
    );
  return (
    <div className="grid grid-cols-3 gap-2 sm:gap-4">
      <Gauge
        label="CPU"
        share={host.cpu_ratio ?? null}
        value={ratio(host.cpu_ratio)}
        more={`${count(host.cpus)} ${host.cpus === 1 ? "processor" : "processors"}`}
        limits={BUSY}
      />
      <Gauge
        label="Memory"
        share={host.memory_ratio ?? null}
        value={ratio(host.memory_ratio)}
        more={`${bytes(host.memory_available_bytes)} free`}
        limits={BUSY}
      />
      <Gauge
        label={fullest === null ? "Disk" : `Disk ${fullest.mountpoint}`}
        share={fullest?.share ?? null}
        value={ratio(fullest?.share)}
        more={`${bytes(fullest?.available_bytes)} free`}
        limits={FULL}
      />
    </div>
  );
}
