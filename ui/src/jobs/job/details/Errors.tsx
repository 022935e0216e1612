import { useInfiniteQuery } from "@tanstack/react-query";
import { Badge } from "../../../components/Badge";
import { Empty } from "../../../components/Notices";
import { Time } from "../../../components/Time";
import type { JobDetail, JobLog } from "../../types";
import { iso, logsQuery, type Scope } from "../queries";
import { nameOf, type Row } from "../rows";
import { Part } from "./Part";

interface Props {
  readonly job: JobDetail;
  readonly rows: readonly Row[];
  readonly selected: Row | undefined;
  readonly scope: Scope;
}

/** What ended attempts and stages, and exceptions that were logged, with where they were thrown. */
export function Errors({ job, rows, selected, scope }: Props) {
  const ended = rows.filter((row) => row.error !== null && isOf(row, selected));
  const logged = useInfiniteQuery(logsQuery(job, scope, "level>=error OR _exists_:exception.stacktrace"));
  return (
    <Part query={logged}>
      {({ pages }) => {
        const records = pages.flatMap(({ items }) => items);
        if (ended.length + records.length === 0) {
          return <Empty title="No errors">Nothing ended badly, and no error was logged of it.</Empty>;
        }
        return (
          <div className="grid grid-cols-1 gap-3 p-4">
            {ended.map((row) => (
              <Ended key={row.id} row={row} />
            ))}
            {records.map((record) => (
              <Logged key={`${record.time} ${record.id}`} record={record} />
            ))}
          </div>
        );
      }}
    </Part>
  );
}

/** Whether a row is the chosen one, or a stage of the chosen attempt. */
function isOf(row: Row, selected: Row | undefined): boolean {
  if (selected === undefined || row.id === selected.id) return true;
  return selected.kind === "attempt" && row.kind === "stage" && row.stage.attempt === selected.number;
}

function Ended({ row }: { readonly row: Row }) {
  const { error } = row;
  if (error === null) return null;
  return (
    <div className="grid gap-1 rounded-lg border border-line px-3 py-2">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={row.tone}>{row.state}</Badge>
        <span>{nameOf(row)}</span>
        {row.run && (
          <span className="text-muted text-xs">
            <Time at={iso(row.run.end)} />
          </span>
        )}
      </p>
      <p className="wrap-anywhere whitespace-pre-wrap">
        <span className="font-medium">{error.error_type ?? "Error"}</span>
        {error.message && `: ${error.message}`}
        {error.timed_out && " (it ran out of time)"}
      </p>
    </div>
  );
}

function Logged({ record }: { readonly record: JobLog }) {
  const { exception_type, exception_message, exception_stacktrace } = record.conventions;
  return (
    <div className="grid grid-cols-1 gap-1 rounded-lg border border-line px-3 py-2">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone="bad">{record.level ?? "logged"}</Badge>
        <span className="text-muted text-xs">
          <Time at={record.time} style="millisecond" />
        </span>
      </p>
      <p className="wrap-anywhere whitespace-pre-wrap">{record.message}</p>
      {exception_type && (
        <p className="wrap-anywhere">
          <span className="font-medium">{exception_type}</span>
          {exception_message && `: ${exception_message}`}
        </p>
      )}
      {exception_stacktrace && (
        <section
          aria-label="Traceback"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          tabIndex={0}
          className="max-h-80 overflow-auto whitespace-pre rounded bg-raised p-2.5 font-mono text-xs leading-5"
        >
          {exception_stacktrace}
        </section>
      )}
    </div>
  );
}
