import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import type { Request } from "../api/types";
import { Badge } from "../components/Badge";
import { DataTable } from "../components/DataTable";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import type { Column } from "../components/sorting";
import { Time } from "../components/Time";
import { bytes, count, seconds } from "../format/format";
import { useTimeRange } from "../time/useTimeRange";
import type { RequestFilters } from "./address";
import { requestsQuery } from "./queries";
import { RequestFilterForm } from "./RequestFilterForm";
import { statusTone } from "./status";

interface Props {
  readonly filters: RequestFilters;
  readonly onFilter: (filters: RequestFilters) => void;
}

const COLUMNS: readonly Column<Request>[] = [
  { id: "time", head: "Answered", cell: ({ time }) => <Time at={time} style="millisecond" /> },
  {
    id: "status",
    head: "Status",
    cell: ({ status_code }) => <Badge tone={statusTone(status_code)}>{status_code}</Badge>,
  },
  { id: "method", head: "Method", cell: ({ method }) => method },
  {
    id: "path",
    head: "Path",
    className: "max-w-96 truncate font-mono text-[13px]",
    cell: ({ event_id, time, path }) => (
      <Link
        to="/requests/$id"
        params={{ id: event_id }}
        search={{ at: time }}
        title={path}
        className="underline decoration-line-strong underline-offset-2 hover:decoration-ink"
      >
        {path}
      </Link>
    ),
  },
  { id: "duration", head: "Took", isNumber: true, cell: ({ duration_seconds }) => seconds(duration_seconds) },
  { id: "service", head: "Service", cell: ({ service }) => service ?? "–" },
  { id: "user", head: "User", className: "max-w-40 truncate", cell: ({ user_id }) => user_id ?? "–" },
  { id: "client", head: "Client", cell: ({ client_ip }) => client_ip ?? "–" },
  { id: "sent", head: "Sent", isNumber: true, cell: ({ response_bytes }) => bytes(response_bytes) },
  {
    id: "error",
    head: "Error",
    className: "max-w-72 truncate text-muted",
    cell: ({ error_message }) => <span title={error_message ?? undefined}>{error_message ?? ""}</span>,
  },
];

/** Each request, newest first. */
export function RequestList({ filters, onFilter }: Props) {
  const range = useTimeRange();
  const navigate = useNavigate();
  const query = useInfiniteQuery(requestsQuery(filters, range));
  const rows = useMemo(() => query.data?.pages.flatMap(({ items }) => items) ?? [], [query.data]);
  const total = query.data?.pages[0]?.total ?? 0;
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = query;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <Panel title="Requests, newest first" aside={query.data ? `${count(total)} in this time` : undefined}>
      <RequestFilterForm filters={filters} onFilter={onFilter} />
      {query.error && !query.data ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <div className="p-4">
          <Loading className="h-64" />
        </div>
      ) : rows.length === 0 ? (
        <Empty title="No such request in this time">
          Choose a longer time at the top of the page, or fewer filters.
        </Empty>
      ) : (
        <DataTable
          label="Requests"
          columns={COLUMNS}
          rows={rows}
          rowKey={({ event_id }) => event_id}
          onOpen={({ event_id, time }) =>
            void navigate({ to: "/requests/$id", params: { id: event_id }, search: { at: time } })
          }
          total={hasNextPage ? total : rows.length}
          onEnd={more}
        />
      )}
      {query.data && !hasNextPage && total > rows.length && (
        <p className="px-4 py-2 text-muted text-xs">
          These are the newest {count(rows.length)} of {count(total)}: choose an earlier end of the time to
          read on.
        </p>
      )}
    </Panel>
  );
}
