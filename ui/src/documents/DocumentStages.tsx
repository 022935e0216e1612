import { useQuery } from "@tanstack/react-query";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { bytes, count, seconds } from "../format/format";
import { documentStagesQuery } from "./queries";

/** What was done with a document in each stage, and the memory that it took. */
export function DocumentStages({ id, jobs }: { readonly id: string; readonly jobs: readonly string[] }) {
  const query = useQuery(documentStagesQuery(id, jobs));
  const stages = query.data;
  return (
    <Panel title="Stages, and their memory" aside="in the order in which they ended first">
      {query.error && !stages ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !stages ? (
        <div className="p-4">
          <Loading className="h-24" />
        </div>
      ) : stages.length === 0 ? (
        <Empty title="No stage has been reported">
          The events stage.started and stage.finished tell of stages, and of the memory in them.
        </Empty>
      ) : (
        <Table label="Stages, and their memory">
          <thead>
            <tr>
              <th className={HEAD}>Stage</th>
              <th className={HEAD}>Component</th>
              <th className={NUMBER_HEAD}>Runs</th>
              <th className={NUMBER_HEAD}>Failed</th>
              <th className={NUMBER_HEAD}>Took in all</th>
              <th className={NUMBER_HEAD}>Items</th>
              <th className={NUMBER_HEAD}>Peak memory</th>
              <th className={NUMBER_HEAD}>Memory kept</th>
            </tr>
          </thead>
          <tbody>
            {stages.map((row) => (
              <tr key={`${row.stage} ${row.component}`} className="border-line border-t">
                <td className={`${CELL} max-w-56 truncate`}>{row.stage}</td>
                <td className={`${CELL} max-w-56 truncate`}>{row.component ?? "–"}</td>
                <td className={NUMBER}>{count(row.runs)}</td>
                <td className={`${NUMBER} ${row.failed > 0 ? "text-bad" : ""}`}>{count(row.failed)}</td>
                <td className={NUMBER}>{seconds(row.seconds)}</td>
                <td className={NUMBER}>{count(row.items)}</td>
                <td className={NUMBER}>{bytes(row.memoryPeak)}</td>
                <td className={NUMBER}>{bytes(row.memoryDelta)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
