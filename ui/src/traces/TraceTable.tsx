import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { TraceSummary } from "../api/types";
import { DataTable } from "../components/DataTable";
import type { Column, Sorting } from "../components/sorting";
import { Time } from "../components/Time";
import { count, seconds } from "../format/format";

interface Props {
  readonly traces: readonly TraceSummary[];
  readonly sort: string;
  readonly onSort: (sort: string) => void;
  readonly onOpen: (trace: TraceSummary) => void;
}

/** Traces that a search finds, the newest first. */
export function TraceTable({ traces, sort, onSort, onOpen }: Props) {
  const longest = useMemo(
    () => traces.reduce((most, trace) => Math.max(most, trace.duration_seconds), 0),
    [traces],
  );
  const columns = useMemo(() => columnsFor(longest), [longest]);
  const sorting: Sorting | null =
    sort === "" ? null : { column: sort.replace(/^-/, ""), isDown: sort.startsWith("-") };
  return (
    <DataTable
      label="Traces"
      columns={columns}
      rows={traces}
      rowKey={({ trace_id }) => trace_id}
      sorting={sorting}
      onSort={(next) => onSort(next === null ? "" : `${next.isDown ? "-" : ""}${next.column}`)}
      onOpen={onOpen}
    />
  );
}

function columnsFor(longest: number): readonly Column<TraceSummary>[] {
  return [
    {
      id: "name",
      head: "Trace",
      className: "max-w-96 truncate",
      cell: ({ trace_id, service, name }) => (
        <Link to="/traces/$id" params={{ id: trace_id }} title={trace_id} className="hover:underline">
          <span className="text-muted">{service ?? "–"}</span> {name || "(no name)"}
        </Link>
      ),
    },
    {
      id: "duration",
      head: "Duration",
      isNumber: true,
      sort: ({ duration_seconds }) => duration_seconds,
      cell: ({ duration_seconds, errors }) => (
        <span className="flex items-center justify-end gap-2">
          <span aria-hidden="true" className="flex h-1.5 w-24 max-sm:hidden">
            <span
              className={`rounded-sm ${errors > 0 ? "bg-bad" : "bg-line-strong"}`}
              style={{ width: `${longest > 0 ? Math.max(2, (duration_seconds / longest) * 100) : 0}%` }}
            />
          </span>
          <span className="w-20">{seconds(duration_seconds)}</span>
        </span>
      ),
    },
    {
      id: "spans",
      head: "Spans",
      isNumber: true,
      sort: ({ spans }) => spans,
      cell: ({ spans }) => count(spans),
    },
    {
      id: "errors",
      head: "Errors",
      isNumber: true,
      sort: ({ errors }) => errors,
      cell: ({ errors }) => (errors > 0 ? <span className="text-bad">{count(errors)}</span> : "0"),
    },
    {
      id: "services",
      head: "Services",
      className: "max-w-72 truncate text-muted",
      cell: ({ services }) => <span title={services.join(", ")}>{services.join(", ") || "–"}</span>,
    },
    {
      id: "start",
      head: "Began",
      isNumber: true,
      sort: ({ start }) => Date.parse(start),
      cell: ({ start }) => <Time at={start} />,
    },
  ];
}
