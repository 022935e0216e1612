import { useQuery } from "@tanstack/react-query";
import { Empty } from "../../../components/Notices";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../../../components/Table";
import { Time } from "../../../components/Time";
import { count, seconds } from "../../../format/format";
import type { JobCall, JobDetail } from "../../types";
import { callsQuery, MOST_CALLS, type Scope } from "../queries";
import { millis, type Row } from "../rows";
import { Part } from "./Part";

interface Props {
  readonly job: JobDetail;
  readonly selected: Row | undefined;
  readonly scope: Scope;
}

/** Calls of models that the job made, or its chosen part. */
export function Calls({ job, selected, scope }: Props) {
  return (
    <Part query={useQuery(callsQuery(job))}>
      {({ items, total }) => {
        const calls = items.filter((call) => isOf(call, selected, scope));
        if (calls.length === 0) {
          return (
            <Empty title="No calls of models">
              {scope
                ? "None was made in this part of the job."
                : "Calls that name the job or its trace are shown here: events of the type llm.call."}
            </Empty>
          );
        }
        return (
          <>
            <Listed calls={calls} />
            {total > MOST_CALLS && (
              <p className="px-4 pb-3 text-muted">
                The first {count(MOST_CALLS)} of {count(total)} are here.
              </p>
            )}
          </>
        );
      }}
    </Part>
  );
}

/** A call belongs to a stage that it names; to another bar, when it was made within its time. */
function isOf(call: JobCall, selected: Row | undefined, scope: Scope): boolean {
  if (selected === undefined || scope === null) return true;
  if (selected.kind === "stage" && call.stage != null && call.stage !== selected.stage.stage) return false;
  const end = millis(call.time) ?? 0;
  const start = end - call.duration_seconds * 1000;
  return start <= scope.end && end >= scope.start;
}

function Listed({ calls }: { readonly calls: readonly JobCall[] }) {
  const cost = calls.reduce((sum, { cost_usd }) => sum + (cost_usd ?? 0), 0);
  const sum = (of: (call: JobCall) => number | null | undefined) =>
    calls.reduce((sum, call) => sum + (of(call) ?? 0), 0);
  return (
    <>
      <p className="px-4 pt-3 text-muted">
        {count(calls.length)} {calls.length === 1 ? "call" : "calls"},{" "}
        {count(sum((call) => call.input_tokens))} tokens in, {count(sum((call) => call.output_tokens))} out
        {cost > 0 && `, $${cost.toFixed(4)}`}
      </p>
      <Table label="Calls of models">
        <thead>
          <tr>
            <th className={HEAD}>Answered</th>
            <th className={HEAD}>Model</th>
            <th className={HEAD}>Operation</th>
            <th className={HEAD}>Stage</th>
            <th className={NUMBER_HEAD}>Took</th>
            <th className={NUMBER_HEAD}>First token</th>
            <th className={NUMBER_HEAD}>Tokens in</th>
            <th className={NUMBER_HEAD}>Tokens out</th>
            <th className={HEAD}>Ended by</th>
          </tr>
        </thead>
        <tbody>
          {calls.map((call) => (
            <tr key={call.event_id} className="border-line border-t">
              <td className={CELL}>
                <Time at={call.time} style="millisecond" />
              </td>
              <td className={`${CELL} max-w-56 truncate`} title={call.model}>
                {call.model}
              </td>
              <td className={CELL}>{call.operation ?? "–"}</td>
              <td className={CELL}>{call.stage ?? "–"}</td>
              <td className={NUMBER}>{seconds(call.duration_seconds)}</td>
              <td className={NUMBER}>{seconds(call.time_to_first_token_seconds)}</td>
              <td className={NUMBER}>{count(call.input_tokens)}</td>
              <td className={NUMBER}>{count(call.output_tokens)}</td>
              <td
                className={`${CELL} max-w-64 truncate ${call.error_message ? "text-bad" : "text-muted"}`}
                title={call.error_message ?? undefined}
              >
                {call.error_message ?? call.finish_reason ?? "–"}
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
    </>
  );
}
