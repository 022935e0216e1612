import { useInfiniteQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { Button } from "../../../components/Button";
import { DataTable } from "../../../components/DataTable";
import { Empty } from "../../../components/Notices";
import type { Column } from "../../../components/sorting";
import { Time } from "../../../components/Time";
import { TONE_TEXT, type Tone } from "../../../components/tone";
import type { JobDetail, JobLog } from "../../types";
import { isOver, logsQuery, type Scope } from "../queries";
import { Part } from "./Part";

interface Props {
  readonly job: JobDetail;
  readonly scope: Scope;
}

const TONES: Record<string, Tone> = { fatal: "bad", error: "bad", warn: "warn" };

const COLUMNS: readonly Column<JobLog>[] = [
  { id: "time", head: "Time", cell: ({ time }) => <Time at={time} style="millisecond" /> },
  {
    id: "level",
    head: "Level",
    cell: ({ level }) => <span className={TONE_TEXT[TONES[level ?? ""] ?? "idle"]}>{level ?? "–"}</span>,
  },
  {
    id: "stage",
    head: "Stage",
    cell: ({ conventions }) => conventions.stage ?? "–",
    className: "max-w-32 truncate",
  },
  {
    id: "message",
    head: "Message",
    cell: ({ message }) => <span title={message ?? undefined}>{message ?? "–"}</span>,
    className: "max-w-3xl truncate font-mono text-[13px] w-full",
  },
];

/** Log records of the job, or of the time that is chosen, oldest first. */
export function Logs({ job, scope }: Props) {
  const [draft, write] = useState("");
  const [q, search] = useState("");
  const id = useId();
  const query = useInfiniteQuery({
    ...logsQuery(job, scope, q),
    refetchInterval: isOver(job) ? false : 5_000,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    search(draft.trim());
  };
  return (
    <div>
      <form onSubmit={submit} className="flex flex-wrap items-center gap-2 px-4 py-3">
        <label htmlFor={id} className="sr-only">
          Search in these records
        </label>
        <input
          id={id}
          value={draft}
          placeholder="level:error timeout"
          spellCheck={false}
          onChange={(event) => write(event.target.value)}
          className="h-8 min-w-40 max-w-md flex-1 rounded-md border border-line-strong bg-surface px-2.5 font-mono text-[13px]"
        />
        <Button type="submit">Search</Button>
      </form>
      <Part query={query}>
        {({ pages }) => {
          const rows = pages.flatMap(({ items }) => items);
          if (rows.length === 0) {
            return (
              <Empty title="No log records">
                {scope || q !== ""
                  ? "None of the job’s records is of this time and has this text."
                  : "Records that name the job or its trace are shown here: see the guide on logs."}
              </Empty>
            );
          }
          return (
            <DataTable
              label="Log records"
              columns={COLUMNS}
              rows={rows}
              rowKey={({ time, id }) => `${time} ${id}`}
              total={query.hasNextPage ? rows.length + 1 : rows.length}
              onEnd={() => {
                if (!query.isFetchingNextPage) void query.fetchNextPage();
              }}
              className="max-h-[50vh]"
            />
          );
        }}
      </Part>
    </div>
  );
}
