import { useQuery } from "@tanstack/react-query";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { count, seconds } from "../format/format";
import { dollars } from "./amounts";
import { documentCallsQuery } from "./queries";

/** The calls of models for a document, and what they took. */
export function LlmCalls({ id, jobs }: { readonly id: string; readonly jobs: readonly string[] }) {
  const query = useQuery(documentCallsQuery(id, jobs));
  const calls = query.data;
  return (
    <Panel title="LLM calls">
      {query.error && !calls ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !calls ? (
        <div className="p-4">
          <Loading className="h-24" />
        </div>
      ) : calls.length === 0 ? (
        <Empty title="No model was called for it">
          The event llm.call tells of calls, with their tokens.
        </Empty>
      ) : (
        <Table label="LLM calls">
          <thead>
            <tr>
              <th className={HEAD}>Model</th>
              <th className={HEAD}>For</th>
              <th className={NUMBER_HEAD}>Calls</th>
              <th className={NUMBER_HEAD}>Failed</th>
              <th className={NUMBER_HEAD}>Tokens in</th>
              <th className={NUMBER_HEAD}>Tokens out</th>
              <th className={NUMBER_HEAD}>Took in all</th>
              <th className={NUMBER_HEAD}>Cost</th>
            </tr>
          </thead>
          <tbody>
            {calls.map((row) => (
              <tr key={`${row.model} ${row.operation}`} className="border-line border-t">
                <td className={`${CELL} max-w-72 truncate`}>{row.model}</td>
                <td className={`${CELL} max-w-48 truncate`}>{row.operation ?? "–"}</td>
                <td className={NUMBER}>{count(row.calls)}</td>
                <td className={`${NUMBER} ${row.failed > 0 ? "text-bad" : ""}`}>{count(row.failed)}</td>
                <td className={NUMBER}>{count(row.input)}</td>
                <td className={NUMBER}>{count(row.output)}</td>
                <td className={NUMBER}>{seconds(row.seconds)}</td>
                <td className={NUMBER}>{dollars(row.cost)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
