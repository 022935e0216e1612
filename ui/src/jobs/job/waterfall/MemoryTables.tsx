import type { ReactNode } from "react";
import { Panel } from "../../../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../../../components/Table";
import { bytes, count } from "../../../format/format";
import { type ComponentEvent, componentSums } from "../memory";
import type { Row, StageRow } from "../rows";

interface Props {
  readonly rows: readonly Row[];
  readonly components: readonly ComponentEvent[];
  readonly onSelect: (bar: string) => void;
}

/** Peak and growth of memory, by stage and by component. */
export function MemoryTables({ rows, components, onSelect }: Props) {
  const stages = rows.filter(
    (row): row is StageRow =>
      row.kind === "stage" && (row.stage.memory_peak_bytes ?? row.stage.memory_rss_end_bytes) != null,
  );
  const sums = componentSums(components);
  if (stages.length === 0 && sums.length === 0) return null;
  const hasGpu = stages.some(({ stage }) => stage.gpu_memory_bytes != null);
  return (
    <div className={`grid grid-cols-1 items-start gap-5 ${sums.length > 0 ? "xl:grid-cols-2" : ""}`}>
      {stages.length > 0 && (
        <Panel title="Memory of its stages">
          <Scroll>
            <Table label="Memory of its stages">
              <thead>
                <tr>
                  <th className={HEAD}>Stage</th>
                  <th className={NUMBER_HEAD}>At first</th>
                  <th className={NUMBER_HEAD}>Peak</th>
                  <th className={NUMBER_HEAD}>At last</th>
                  <th className={NUMBER_HEAD}>Grew by</th>
                  {hasGpu && <th className={NUMBER_HEAD}>GPU</th>}
                </tr>
              </thead>
              <tbody>
                {stages.map(({ id, stage }) => (
                  <tr key={id} className="border-line border-t">
                    <td className={`${CELL} max-w-56 truncate`}>
                      <button
                        type="button"
                        onClick={() => onSelect(id)}
                        className="max-w-full truncate underline decoration-line-strong underline-offset-2 hover:decoration-ink"
                      >
                        {stage.stage}
                        {stage.component && ` (${stage.component})`}
                      </button>
                      {(stage.attempt ?? 0) > 0 && (
                        <span className="pl-2 text-muted text-xs">attempt {(stage.attempt ?? 0) + 1}</span>
                      )}
                    </td>
                    <td className={NUMBER}>{bytes(stage.memory_rss_start_bytes)}</td>
                    <td className={NUMBER}>{bytes(stage.memory_peak_bytes)}</td>
                    <td className={NUMBER}>{bytes(stage.memory_rss_end_bytes)}</td>
                    <td className={NUMBER}>{change(stage.memory_delta_bytes)}</td>
                    {hasGpu && <td className={NUMBER}>{bytes(stage.gpu_memory_bytes)}</td>}
                  </tr>
                ))}
              </tbody>
            </Table>
          </Scroll>
        </Panel>
      )}
      {sums.length > 0 && (
        <Panel title="Memory of components">
          <Table label="Memory of components">
            <thead>
              <tr>
                <th className={HEAD}>Component</th>
                <th className={NUMBER_HEAD}>Loaded</th>
                <th className={NUMBER_HEAD}>Took</th>
                <th className={NUMBER_HEAD}>Gave back</th>
                <th className={NUMBER_HEAD}>Kept</th>
                <th className={NUMBER_HEAD}>GPU</th>
              </tr>
            </thead>
            <tbody>
              {sums.map((sum) => (
                <tr key={sum.component} className="border-line border-t">
                  <td className={`${CELL} max-w-56 truncate`} title={sum.component}>
                    {sum.component}
                  </td>
                  <td className={NUMBER}>
                    {sum.loads === sum.unloads
                      ? `${count(sum.loads)} ${sum.loads === 1 ? "time" : "times"}`
                      : `${count(sum.loads)}, given back ${count(sum.unloads)}`}
                  </td>
                  <td className={NUMBER}>{bytes(sum.taken)}</td>
                  <td className={NUMBER}>{bytes(sum.returned)}</td>
                  <td className={NUMBER}>{bytes(sum.kept)}</td>
                  <td className={NUMBER}>{bytes(sum.gpu)}</td>
                </tr>
              ))}
            </tbody>
          </Table>
        </Panel>
      )}
    </div>
  );
}

function Scroll({ children }: { readonly children: ReactNode }) {
  return <div className="max-h-96 overflow-y-auto">{children}</div>;
}

/** A growth with its sign. */
function change(value: number | null | undefined): string {
  return value != null && value > 0 ? `+${bytes(value)}` : bytes(value);
}
