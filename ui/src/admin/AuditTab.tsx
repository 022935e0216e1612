import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import type { AuditItem } from "../api/types";
import { Badge } from "../components/Badge";
import { Button } from "../components/Button";
import { DataTable } from "../components/DataTable";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import type { Column } from "../components/sorting";
import { Time } from "../components/Time";
import type { Tone } from "../components/tone";
import { count } from "../format/format";
import { useTimeRange } from "../time/useTimeRange";
import { AuditFilters } from "./AuditFilters";
import { auditQuery } from "./queries";
import { Verification } from "./Verification";

const route = getRouteApi("/shell/admin");

/** Who did what, newest first, and whether the log is as it was written. */
export function AuditTab() {
  const { actor, action, target, when } = route.useSearch();
  const navigate = route.useNavigate();
  const shown = useTimeRange();
  const range = when === "all" ? null : shown;
  const query = useInfiniteQuery(auditQuery({ actor, action, target, range }));
  const { fetchNextPage, isFetchingNextPage } = query;
  const more = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  const pages = query.data?.pages ?? [];
  const items = pages.flatMap(({ items }) => items);
  const total = pages.at(-1)?.total ?? 0;
  const showAll = () => void navigate({ search: { tab: "audit", when: "all" }, replace: true });
  return (
    <>
      <AuditFilters />
      <Panel title="Audit log" aside={query.data && `${count(total)} entries`}>
        {!query.data && query.error ? (
          <Failure error={query.error} retry={() => void query.refetch()} />
        ) : !query.data ? (
          <div className="p-4">
            <Loading className="h-64" />
          </div>
        ) : items.length === 0 ? (
          <>
            <Empty title="No such entry">Nobody did such a thing in this time.</Empty>
            <p className="pb-6 text-center">
              <Button onClick={showAll}>Show the whole log</Button>
            </p>
          </>
        ) : (
          <DataTable
            label="Audit log"
            columns={COLUMNS}
            rows={items}
            rowKey={({ seq }) => String(seq)}
            total={total}
            onEnd={more}
            className="max-h-[55vh]"
          />
        )}
      </Panel>
      <Verification range={range} />
    </>
  );
}

const OUTCOMES: Record<string, Tone> = { ok: "good", denied: "warn", failed: "bad" };

const COLUMNS: readonly Column<AuditItem>[] = [
  { id: "seq", head: "No.", cell: ({ seq }) => seq, isNumber: true },
  { id: "time", head: "Time", cell: ({ time }) => <Time at={time} /> },
  {
    id: "actor",
    head: "Who",
    cell: ({ actor }) => <span title={actor}>{actor}</span>,
    className: "max-w-48 truncate font-medium",
  },
  { id: "action", head: "What", cell: ({ action }) => action },
  {
    id: "target",
    head: "To what",
    cell: ({ target }) => (target ? <span title={target}>{target}</span> : "–"),
    className: "max-w-64 truncate",
  },
  {
    id: "outcome",
    head: "Outcome",
    cell: ({ outcome }) => <Badge tone={OUTCOMES[outcome] ?? "idle"}>{outcome}</Badge>,
  },
  { id: "from", head: "From", cell: ({ client_ip }) => client_ip ?? "–" },
  {
    id: "detail",
    head: "Further facts",
    cell: ({ detail }) => {
      const text = detail == null ? "–" : JSON.stringify(detail);
      return <span title={text}>{text}</span>;
    },
    className: "max-w-80 truncate font-mono text-xs text-muted",
  },
  {
    id: "hash",
    head: "Hash",
    cell: ({ hash }) => <span title={hash}>{hash.slice(0, 12)}…</span>,
    className: "font-mono text-xs text-muted",
  },
];
