import { CELL, HEAD, Table } from "../components/Table";
import { type CheckResult, resultsOf } from "./evidence";

/** What the runbook's checks found when the alert fired. */
export function Evidence({ evidence, state }: { readonly evidence: unknown; readonly state: string }) {
  const results = resultsOf(evidence);
  if (results.length === 0) {
    if (state === "pending") return <p className="text-muted text-xs">Its checks run when it fires.</p>;
    return <p className="text-muted text-xs">The rule names no checks, so there is no evidence.</p>;
  }
  return (
    <div className="grid gap-3">
      <h4 className="font-semibold text-[13px]">Evidence, from when it fired</h4>
      {results.map((result) => (
        <Result key={result.check} result={result} />
      ))}
    </div>
  );
}

function Result({ result }: { readonly result: CheckResult }) {
  return (
    <div className="overflow-hidden rounded-lg border border-line">
      <h5 className="bg-raised px-4 py-2 font-medium text-[13px]">{result.title}</h5>
      {result.note !== null && <p className="px-4 py-2 text-muted">{result.note}</p>}
      {result.rows.length > 0 && (
        <Table label={result.title}>
          <thead>
            <tr>
              {result.columns.map((column) => (
                <th key={column} className={HEAD}>
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {result.rows.map((row, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have no id, and never change
              <tr key={index} className="border-line border-t">
                {row.map((text, column) => (
                  <td
                    // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its column
                    key={column}
                    className={`${CELL} max-w-80 truncate text-[13px] tabular-nums`}
                    title={text}
                  >
                    {text}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </div>
  );
}
