import { useQuery } from "@tanstack/react-query";
import type { Gpu } from "../api/types";
import { Badge } from "../components/Badge";
import { Gauge } from "../components/chart/Gauge";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { bytes, count, ratio } from "../format/format";
import { workersOfHostsQuery } from "./queries";

const HOT = 95;

/** A GPU as it is now, and who holds its memory. */
export function GpuCard({ host, gpu }: { readonly host: string; readonly gpu: Gpu }) {
  const workers = useQuery(workersOfHostsQuery).data?.items;
  const workerOf = (pid: number) => workers?.find((one) => one.host === host && one.pid === pid)?.worker_id;
  return (
    <Panel
      title={`GPU ${gpu.index} of ${host}: ${gpu.name}`}
      aside={gpu.up ? undefined : <Badge tone="bad">lost</Badge>}
    >
      <div className="grid gap-3 pb-3">
        {gpu.reason && <p className="px-4 text-bad">{gpu.reason}</p>}
        <div className="grid grid-cols-2 gap-3 px-4 sm:grid-cols-4">
          <Gauge label="At work" share={gpu.utilization_ratio ?? null} value={ratio(gpu.utilization_ratio)} />
          <Gauge
            label="Memory"
            share={gpu.memory_ratio ?? null}
            value={ratio(gpu.memory_ratio)}
            more={`${bytes(gpu.memory_used_bytes)} of ${bytes(gpu.memory_total_bytes)}`}
            limits={[0.9, 0.97]}
          />
          <Gauge
            label="Temperature"
            share={gpu.temperature_celsius == null ? null : gpu.temperature_celsius / HOT}
            value={gpu.temperature_celsius == null ? "–" : `${Math.round(gpu.temperature_celsius)} °C`}
            limits={[85 / HOT, 92 / HOT]}
          />
          <Gauge
            label="Power"
            share={
              gpu.power_watts == null || !gpu.power_limit_watts
                ? null
                : gpu.power_watts / gpu.power_limit_watts
            }
            value={gpu.power_watts == null ? "–" : `${Math.round(gpu.power_watts)} W`}
            {...(gpu.power_limit_watts == null ? {} : { more: `of ${Math.round(gpu.power_limit_watts)} W` })}
          />
        </div>
        {(gpu.throttle_reasons.length > 0 || (gpu.ecc_uncorrected ?? 0) > 0) && (
          <p className="flex flex-wrap gap-1.5 px-4">
            {gpu.throttle_reasons.map((reason) => (
              <Badge key={reason} tone="warn">
                held down: {reason.replaceAll("_", " ")}
              </Badge>
            ))}
            {(gpu.ecc_uncorrected ?? 0) > 0 && (
              <Badge tone="bad">{count(gpu.ecc_uncorrected)} memory errors not corrected</Badge>
            )}
          </p>
        )}
        {gpu.processes.length > 0 ? (
          <Table label={`Who holds the memory of GPU ${gpu.index} of ${host}`}>
            <thead>
              <tr>
                <th className={HEAD}>Process</th>
                <th className={HEAD}>Group</th>
                <th className={HEAD}>Worker</th>
                <th className={NUMBER_HEAD}>GPU memory</th>
              </tr>
            </thead>
            <tbody>
              {gpu.processes.map((process) => (
                <tr key={process.pid} className="border-line border-t">
                  <td className={CELL}>
                    {process.name ?? "not seen"} <span className="text-muted text-xs">{process.pid}</span>
                  </td>
                  <td className={CELL}>{process.group ?? "–"}</td>
                  <td className={CELL}>{workerOf(process.pid) ?? "–"}</td>
                  <td className={NUMBER}>{bytes(process.memory_bytes)}</td>
                </tr>
              ))}
            </tbody>
          </Table>
        ) : (
          <p className="px-4 text-muted">No process holds memory of it.</p>
        )}
      </div>
    </Panel>
  );
}
