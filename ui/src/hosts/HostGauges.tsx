import type { Host } from "../api/types";
import { Gauge } from "../components/chart/Gauge";
import { bytes, count, ratio } from "../format/format";
import { CPU_LIMITS, DISK_LIMITS, fullest, MEMORY_LIMITS, useShares } from "./shares";

/** How busy and how full a host is. */
export function HostGauges({ host }: { readonly host: Host }) {
  const most = fullest(useShares(host));
  return (
    <div className="grid grid-cols-3 gap-2 sm:gap-4">
      <Gauge
        label="CPU"
        share={host.cpu_ratio ?? null}
        value={ratio(host.cpu_ratio)}
        more={`${count(host.cpus)} ${host.cpus === 1 ? "processor" : "processors"}`}
        limits={CPU_LIMITS}
      />
      <Gauge
        label="Memory"
        share={host.memory_ratio ?? null}
        value={ratio(host.memory_ratio)}
        more={`${bytes(host.memory_available_bytes)} free`}
        limits={MEMORY_LIMITS}
      />
      <Gauge
        label={most === undefined ? "Disk" : `Disk ${most.filesystem.mountpoint}`}
        share={most?.share ?? null}
        value={ratio(most?.share)}
        more={`${bytes(most?.filesystem.available_bytes)} free`}
        limits={DISK_LIMITS}
      />
    </div>
  );
}
