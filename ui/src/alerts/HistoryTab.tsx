import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useCallback } from "react";
import type { Alert } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { DataTable } from "../components/DataTable";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import type { Column } from "../components/sorting";
import { Time } from "../components/Time";
import { count, decimal, seconds } from "../format/format";
import { AlertFilters } from "./AlertFilters";
import { stateTone, stateWord } from "./look";
import { toneOf } from "./order";
import { alertsQuery } from "./queries";
import { useAlertsSearch } from "./useAlertsSearch";

// The list does not wait for the chart.
const FiredChart = lazy(() => import("./FiredChart"));

/** Every alert that is kept, the last changed first, and how many fired when. */
export function HistoryTab() {
  const [{ state, severity, rule }] = useAlertsSearch();
  const query = useInfiniteQuery(alertsQuery({ state, severity, rule }));
  const { fetchNextPage, isFetchingNextPage } = query;
  const more = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  const pages = query.data?.pages ?? [];
  const alerts = pages.flatMap(({ items }) => items);
  const total = pages.at(-1)?.total ?? 0;
  return (
    <>
      <AlertFilters />
      <Suspense fallback={<Loading className="h-40" />}>
        <FiredChart severity={severity} rule={rule} />
      </Suspense>
      <Panel
        title="Alerts, the last changed first"
        aside={total > 0 ? `${count(total)} are kept` : undefined}
      >
        {!query.data && query.error ? (
          <Failure error={query.error} retry={() => void query.refetch()} />
        ) : !query.data ? (
          <div className="p-4">
            <Loading className="h-64" />
          </div>
        ) : alerts.length === 0 ? (
          <Empty title="No such alert is kept">
            What fires is kept here once it is over. Another state, severity or rule may find some.
          </Empty>
        ) : (
          <DataTable
            label="Alerts"
            columns={COLUMNS}
            rows={alerts}
            rowKey={(alert) => alert.id}
            total={total}
            onEnd={more}
          />
        )}
      </Panel>
    </>
  );
}

const COLUMNS: readonly Column<Alert>[] = [
  {
    id: "severity",
    head: "Severity",
    cell: ({ severity }) => <Badge tone={toneOf(severity)}>{severity}</Badge>,
  },
  {
    id: "alert",
    head: "Alert",
    cell: (alert) => (
      <Link
        to="/alerts/$id"
        params={{ id: alert.id }}
        title={alert.annotations.summary ?? alert.rule}
        className="font-medium underline-offset-2 hover:underline"
      >
        {alert.annotations.summary ?? alert.rule}
      </Link>
    ),
    className: "max-w-96 truncate",
  },
  {
    id: "state",
    head: "State",
    cell: ({ state, severity }) => (
      <Badge tone={state === "firing" ? toneOf(severity) : stateTone(state)}>{stateWord(state)}</Badge>
    ),
  },
  { id: "rule", head: "Rule", cell: ({ rule }) => rule, className: "max-w-56 truncate" },
  {
    id: "began",
    head: "Began",
    cell: ({ fired_at, active_at }) => <Time at={fired_at ?? active_at} />,
  },
  { id: "lasted", head: "Lasted", cell: (alert) => seconds(lastedOf(alert)), isNumber: true },
  { id: "value", head: "Last value", cell: ({ value }) => decimal(value), isNumber: true },
  { id: "by", head: "Taken on by", cell: ({ acknowledged }) => acknowledged?.by ?? "–" },
  { id: "changed", head: "Changed", cell: ({ updated_at }) => <Ago time={updated_at} />, isNumber: true },
];

/** How long it fired, in seconds; nothing where it still does. */
function lastedOf({ fired_at, resolved_at }: Alert): number | null {
  if (!fired_at || !resolved_at) return null;
  return Math.max(0, (Date.parse(resolved_at) - Date.parse(fired_at)) / 1000);
}
