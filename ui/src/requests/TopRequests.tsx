import { useQuery } from "@tanstack/react-query";
import type { RequestGroup, RequestStats } from "../api/types";
import { Choice } from "../components/Choice";
import { DataTable } from "../components/DataTable";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import type { Column } from "../components/sorting";
import { bytes, count, ratio, seconds } from "../format/format";
import { useTimeRange } from "../time/useTimeRange";
import { FILTER_OF, type Grouping, type RequestFilters } from "./address";
import { requestGroupsQuery } from "./queries";

interface Props {
  readonly by: Grouping;
  readonly onBy: (by: Grouping) => void;
  readonly filters: RequestFilters;
  readonly onFilter: (filters: RequestFilters) => void;
}

const NAMES = [
  { value: "route", text: "Endpoints", short: "Endpoints" },
  { value: "user", text: "Users", short: "Users" },
  { value: "api_key", text: "API keys", short: "Keys" },
  { value: "client", text: "Clients", short: "Clients" },
  { value: "service", text: "Services", short: "Services" },
] as const;

const HEADS: Record<Grouping, string> = {
  route: "Endpoint",
  user: "User",
  api_key: "API key",
  client: "Client",
  service: "Service",
};

/** Where requests went, or who made them. Pressing one shows its requests alone. */
export function TopRequests({ by, onBy, filters, onFilter }: Props) {
  const range = useTimeRange();
  const stats = useQuery(requestGroupsQuery(by, range));
  return (
    <Panel title="Most requests" aside="all of this time, whatever the filters below">
      <div className="overflow-x-auto px-4 pb-2">
        <Choice label="By what requests are grouped" value={by} options={NAMES} onChange={onBy} />
      </div>
      {stats.data ? (
        <Groups stats={stats.data} by={by} filters={filters} onFilter={onFilter} />
      ) : stats.error ? (
        <Failure error={stats.error} retry={() => void stats.refetch()} />
      ) : (
        <div className="p-4">
          <Loading className="h-40" />
        </div>
      )}
    </Panel>
  );
}

interface GroupsProps {
  readonly stats: RequestStats;
  readonly by: Grouping;
  readonly filters: RequestFilters;
  readonly onFilter: (filters: RequestFilters) => void;
}

function Groups({ stats, by, filters, onFilter }: GroupsProps) {
  const { items, all, beyond, total } = stats;
  if (items.length === 0) {
    return (
      <Empty title="No requests in this period">
        Applications report theirs as <code>request.finished</code> events to POST /api/v1/events.
      </Empty>
    );
  }
  const filter = FILTER_OF[by];
  const choose = ({ key }: RequestGroup) =>
    key != null && onFilter({ [filter]: filters[filter] === key ? undefined : key } as RequestFilters);
  const columns: readonly Column<RequestGroup>[] = [
    {
      id: "key",
      head: HEADS[by],
      className: "max-w-80 truncate",
      cell: (group) =>
        group.key == null ? (
          <span className="text-muted">not said</span>
        ) : (
          <button
            type="button"
            title={group.key}
            aria-pressed={filters[filter] === group.key}
            onClick={() => choose(group)}
            className="max-w-full truncate font-mono text-[13px] underline decoration-line-strong underline-offset-2 hover:decoration-ink aria-pressed:font-semibold"
          >
            {group.key}
          </button>
        ),
    },
    number("Requests", (group) => count(group.requests)),
    number("Share", (group) => ratio(all.requests > 0 ? group.requests / all.requests : null)),
    number("Failed", (group) => (
      <span className={group.errors > 0 ? "text-bad" : "text-muted"}>{ratio(group.error_rate, 1)}</span>
    )),
    number("Average", (group) => seconds(group.average_seconds)),
    number("Median", (group) => seconds(group.p50_seconds)),
    number("95th percentile", (group) => seconds(group.p95_seconds)),
    number("99th percentile", (group) => seconds(group.p99_seconds)),
    number("Received", (group) => bytes(group.request_bytes)),
    number("Sent", (group) => bytes(group.response_bytes)),
  ];
  return (
    <>
      <DataTable
        label="Most requests"
        columns={columns}
        rows={items}
        rowKey={({ key }) => key ?? ""}
        isSelected={({ key }) => key != null && filters[filter] === key}
        className="max-h-80"
      />
      {(beyond.requests > 0 || total > items.length) && (
        <p className="px-4 pb-3 text-muted text-xs">
          {total > items.length && `${count(total - items.length)} more with fewer requests are not shown. `}
          {beyond.requests > 0 &&
            `${count(beyond.requests)} requests are of further ones, which are too many to be told apart.`}
        </p>
      )}
    </>
  );
}

function number(head: string, cell: Column<RequestGroup>["cell"]): Column<RequestGroup> {
  return { id: head, head, cell, isNumber: true };
}
