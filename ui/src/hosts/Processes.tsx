import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Host, HostProcess } from "../api/types";
import { Ago } from "../components/Ago";
import { DataTable } from "../components/DataTable";
import { Empty } from "../components/Notices";
import { Panel } from "../components/Panel";
import type { Column, Sorting } from "../components/sorting";
import { bytes, count, ratio } from "../format/format";
import { workersOfHostsQuery } from "./queries";

interface Props {
  readonly host: Host;
  readonly sorting: Sorting | null;
  readonly onSort: (sorting: Sorting | null) => void;
}

/** The processes that hold most memory. */
export function Processes({ host, sorting, onSort }: Props) {
  const workers = useQuery(workersOfHostsQuery).data?.items;
  const columns = useMemo(() => {
    const names = new Map(
      workers?.filter((one) => one.host === host.host).map(({ pid, worker_id }) => [pid ?? -1, worker_id]),
    );
    return columnsOf((pid) => names.get(pid));
  }, [workers, host.host]);
  return (
    <Panel title="Largest processes" aside={<Ago time={host.processes_at} />}>
      {host.processes.length === 0 ? (
        <Empty title="Its processes are not watched">
          They are where Watchkeeper runs, unless <code>[processes] enabled = false</code> is configured.
        </Empty>
      ) : (
        <DataTable
          label="Largest processes"
          columns={columns}
          rows={host.processes}
          rowKey={({ pid }) => String(pid)}
          sorting={sorting}
          onSort={onSort}
          className="max-h-96"
        />
      )}
    </Panel>
  );
}

function columnsOf(workerOf: (pid: number) => string | undefined): readonly Column<HostProcess>[] {
  return [
    {
      id: "name",
      head: "Process",
      className: "max-w-64 truncate",
      sort: ({ name }) => name,
      cell: ({ name, pid }) => (
        <>
          {name} <span className="text-muted text-xs tabular-nums">{pid}</span>
        </>
      ),
    },
    { id: "group", head: "Group", sort: ({ group }) => group, cell: ({ group }) => group ?? "–" },
    { id: "worker", head: "Worker", cell: ({ pid }) => workerOf(pid) ?? "–" },
    number("rss", "Memory", ({ rss_bytes }) => rss_bytes, bytes),
    { id: "share", head: "Of the host", isNumber: true, cell: ({ memory_ratio }) => ratio(memory_ratio, 1) },
    number("pss", "Its own part", ({ pss_bytes }) => pss_bytes, bytes),
    number("vms", "Virtual", ({ vms_bytes }) => vms_bytes, bytes),
    number("cpu", "CPU", ({ cpu_ratio }) => cpu_ratio, ratio),
    number("threads", "Threads", ({ threads }) => threads, count),
    number("fds", "Open files", ({ open_fds }) => open_fds, count),
    {
      id: "age",
      head: "Started",
      isNumber: true,
      sort: ({ started_at }) => (started_at ? -Date.parse(started_at) : null),
      cell: ({ started_at }) => <Ago time={started_at} />,
    },
    {
      id: "command",
      head: "Command",
      className: "max-w-lg truncate font-mono text-[12.5px] text-muted",
      cell: ({ command }) => <span title={command}>{command}</span>,
    },
  ];
}

function number(
  id: string,
  head: string,
  value: (process: HostProcess) => number | null | undefined,
  show: (value: number | null | undefined) => string,
): Column<HostProcess> {
  return { id, head, isNumber: true, sort: value, cell: (process) => show(value(process)) };
}
