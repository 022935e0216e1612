import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { sortingOf, sortingText } from "../address/sorting";
import { Empty, Failure, Loading } from "../components/Notices";
import { PageHead } from "../components/PageHead";
import { Panel } from "../components/Panel";
import { bytes, count } from "../format/format";
import { MetricPanel } from "../metrics/MetricPanel";
import { useTimeRange } from "../time/useTimeRange";
import { WORKER_COLUMNS, type WorkersSearch } from "./address";
import { Exits } from "./Exits";
import { matching } from "./matching";
import { exitsQuery, workersQuery } from "./queries";
import { WorkerFilters } from "./WorkerFilters";
import { WorkersTable } from "./WorkersTable";

const route = getRouteApi("/shell/workers");

const byState = ({ state = "" }: Readonly<Record<string, string>>) => state;
const byWorker = ({ worker = "" }: Readonly<Record<string, string>>) => worker;

/** All workers: which are there, what they do, and what became of those that are not. */
export function WorkersPage() {
  const workers = useQuery(workersQuery);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const all = workers.data?.items;
  const shown = useMemo(() => (all ? matching(all, search) : []), [all, search]);
  const amount = (status: string) => all?.filter((worker) => worker.status === status).length ?? 0;
  const go = (next: WorkersSearch) => void navigate({ search: next, replace: true, resetScroll: false });
  const away = amount("stale") + amount("offline");
  return (
    <div className="grid grid-cols-1 gap-5">
      <PageHead title="Workers">
        {all
          ? `${count(amount("online"))} online${away > 0 ? `, ${count(away)} not heard of` : ""}, ${count(amount("stopped"))} stopped.`
          : "Who takes work, and how they do."}
      </PageHead>
      <Panel title="Now" aside={all && `${count(shown.length)} of ${count(all.length)}`}>
        {all && all.length > 0 && <WorkerFilters workers={all} search={search} onChange={go} />}
        {!all ? (
          workers.error ? (
            <Failure error={workers.error} retry={() => void workers.refetch()} />
          ) : (
            <div className="p-4">
              <Loading className="h-40" />
            </div>
          )
        ) : all.length === 0 ? (
          <Empty title="No worker has reported yet">
            Workers say that they are alive by the event worker.heartbeat to POST /api/v1/events; the
            libraries of Watchkeeper send it by themselves.
          </Empty>
        ) : shown.length === 0 ? (
          <Empty title="No worker is like this">Others are there: take a filter away.</Empty>
        ) : (
          <WorkersTable
            label="Workers"
            workers={shown}
            sorting={sortingOf(search.sort, WORKER_COLUMNS)}
            onSort={(sorting) => {
              const { sort: _sort, ...rest } = search;
              const text = sortingText(sorting);
              go({ ...rest, ...(text ? { sort: text } : {}) });
            }}
          />
        )}
      </Panel>
      <div className="grid grid-cols-1 gap-5 lg:grid-cols-3">
        <MetricPanel
          title="Workers by state"
          expr="workers"
          name={byState}
          show={count}
          shape="stacked"
          top={1}
          legend
        />
        <MetricPanel
          title="Memory of the largest"
          expr="topk(8, worker_memory_bytes)"
          name={byWorker}
          show={bytes}
          legend
        />
        <MetricPanel
          title="CPU of the busiest"
          aside="in cores"
          expr="topk(8, worker_cpu_ratio)"
          name={byWorker}
          show={cores}
          top={1}
          legend
        />
      </div>
      <Crashes />
    </div>
  );
}

function cores(value: number): string {
  return value.toFixed(2);
}

/** How many are shown. */
const SHOWN = 50;

/** What ended badly in the range, on all hosts. */
function Crashes() {
  const query = useQuery(exitsQuery(null, useTimeRange()));
  const exits = query.data ?? [];
  return (
    <Panel
      title="Ends that nobody asked for"
      aside={
        exits.length > SHOWN
          ? `the newest ${SHOWN} of ${count(exits.length)}`
          : "of workers and of all that is watched"
      }
    >
      {query.error && !query.data ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <div className="p-4">
          <Loading className="h-16" />
        </div>
      ) : exits.length === 0 ? (
        <Empty title="No process ended badly in this time">
          Kills for want of memory, faults and services that were started again stand here.
        </Empty>
      ) : (
        <Exits label="Ends that nobody asked for" exits={exits.slice(0, SHOWN)} workers />
      )}
    </Panel>
  );
}
