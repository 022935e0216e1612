import type { Probe } from "../api/types";
import { Badge } from "../components/Badge";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { Time } from "../components/Time";
import { bytes, ratio } from "../format/format";

/** The models of backends: those in memory first. */
export function BackendModels({ backends }: { readonly backends: readonly Probe[] }) {
  const models = backends
    .flatMap((backend) => backend.models.map((model) => ({ backend, model })))
    .sort((a, b) => Number(b.model.loaded ?? false) - Number(a.model.loaded ?? false));
  if (models.length === 0) return null;
  return (
    <div className="border-line border-t pt-1">
      <Table label="Models of backends">
        <thead>
          <tr>
            <th className={HEAD}>Model</th>
            <th className={HEAD}>Backend</th>
            <th className={HEAD}>State</th>
            <th className={NUMBER_HEAD}>Size</th>
            <th className={NUMBER_HEAD}>On the GPU</th>
            <th className={HEAD}>Unloaded at</th>
          </tr>
        </thead>
        <tbody>
          {models.map(({ backend, model }) => (
            <tr key={`${backend.kind} ${backend.probe} ${model.name}`} className="border-line border-t">
              <td className={`${CELL} max-w-80 truncate`} title={model.name}>
                {model.name}
              </td>
              <td className={CELL}>{backend.probe}</td>
              <td className={CELL}>
                {model.loaded == null ? (
                  <span className="text-muted">not told</span>
                ) : (
                  <Badge tone={model.loaded ? "good" : "idle"}>
                    {model.loaded ? "in memory" : "on disk"}
                  </Badge>
                )}
              </td>
              <td className={NUMBER}>{bytes(model.size_bytes)}</td>
              <td className={NUMBER}>
                {model.vram_bytes == null || model.loaded !== true
                  ? "–"
                  : `${bytes(model.vram_bytes)}${model.size_bytes ? `, ${ratio(model.vram_bytes / model.size_bytes)}` : ""}`}
              </td>
              <td className={CELL}>
                <Time at={model.expires_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
    </div>
  );
}
