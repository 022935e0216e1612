import { Badge } from "../components/Badge";
import { PathLink } from "../components/PathLink";
import { CELL, HEAD, Table } from "../components/Table";
import type { Tone } from "../components/tone";
import { type CheckResult, resultsOf } from "./evidence";
import { placeOf } from "./places";

/** What the runbook's checks found when the alert fired, in a list of alerts. */
export function Evidence({ evidence, state }: { readonly evidence: unknown; readonly state: string }) {
  const results = resultsOf(evidence);
  if (results.length === 0) return <NoEvidence state={state} />;
  return (
    <div className="grid gap-3">
      <h4 className="font-semibold text-[13px]">Evidence, from when it fired</h4>
      <Results results={results} heading="h5" />
    </div>
  );
}

/** Said where there is no evidence. */
export function NoEvidence({ state }: { readonly state: string }) {
  return (
    <p className="text-muted text-xs">
      {state === "pending"
        ? "Its checks run when it fires."
        : "The rule names no checks, so there is no evidence."}
    </p>
  );
}

interface ResultsProps {
  readonly results: readonly CheckResult[];
  /** Headings go on from what is around them. */
  readonly heading: "h3" | "h5";
}

/** What checks found, one after the other. */
export function Results({ results, heading }: ResultsProps) {
  return (
    <div className="grid grid-cols-1 gap-3">
      {results.map((result) => (
        <Result key={result.check} result={result} heading={heading} />
      ))}
    </div>
  );
}

const VERDICTS: Record<string, { readonly tone: Tone; readonly text: string }> = {
  fine: { tone: "good", text: "fine" },
  look: { tone: "warn", text: "worth a look" },
  bad: { tone: "bad", text: "broken" },
};

function Result({
  result,
  heading: Heading,
}: { readonly result: CheckResult } & Pick<ResultsProps, "heading">) {
  const verdict = VERDICTS[result.verdict ?? ""];
  return (
    <div className="min-w-0 overflow-hidden rounded-lg border border-line">
      <div className="flex flex-wrap items-center justify-between gap-x-3 bg-raised px-4 py-2">
        <Heading className="font-medium text-[13px]">{result.title}</Heading>
        {verdict && <Badge tone={verdict.tone}>{verdict.text}</Badge>}
      </div>
      {result.reason !== "" && <p className="wrap-anywhere px-4 pt-2">{result.reason}</p>}
      {result.note !== null && result.note !== result.reason && (
        <p className="wrap-anywhere px-4 py-2 text-muted">{result.note}</p>
      )}
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
                    <Cell text={text} column={result.columns[column] ?? ""} />
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

/** The columns that name what has a page of its own, and the label that names the same. */
const NAMED: Readonly<Record<string, string>> = {
  job: "job_id",
  document: "document_id",
  queue: "queue",
  worker: "worker",
  stage: "stage",
  host: "host",
};

function Cell({ text, column }: { readonly text: string; readonly column: string }) {
  const label = Object.hasOwn(NAMED, column) ? NAMED[column] : undefined;
  // What a check does not know is a hyphen there.
  const place = label === undefined || text === "-" ? null : placeOf(label, text, {});
  return place === null ? text : <PathLink href={place}>{text}</PathLink>;
}
