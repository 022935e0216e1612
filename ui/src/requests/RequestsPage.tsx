import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Stat, Stats } from "../components/Stat";
import { count, rate, ratio, seconds } from "../format/format";
import { relativeName } from "../time/range";
import { spanNow, useTimeRange } from "../time/useTimeRange";
import { filtersOf, type RequestsSearch } from "./address";
import { requestGroupsQuery } from "./queries";
import { RequestCharts } from "./RequestCharts";
import { RequestList } from "./RequestList";
import { TopRequests } from "./TopRequests";

const route = getRouteApi("/shell/requests");

/** Requests of the watched applications: how many, how quick, how well, by whom, and each of them. */
export function RequestsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const go = (change: Partial<RequestsSearch>) =>
    void navigate({ search: { ...search, ...change }, resetScroll: false });
  const filters = filtersOf(search);
  return (
    <div className="grid grid-cols-1 gap-5">
      <h1 className="font-semibold text-xl tracking-tight">Requests</h1>
      <Summary />
      <RequestCharts service={filters.service} route={filters.route} />
      <TopRequests by={search.by ?? "route"} onBy={(by) => go({ by })} filters={filters} onFilter={go} />
      <RequestList filters={filters} onFilter={go} />
    </div>
  );
}

function Summary() {
  const range = useTimeRange();
  const all = useQuery(requestGroupsQuery("route", range)).data?.all;
  const { start, end } = spanNow(range);
  const some = all && all.requests > 0 ? all : null;
  return (
    <Stats>
      <Stat
        term="Requests"
        value={count(all?.requests)}
        more={all ? rate(all.requests / (end - start)) : (relativeName(range) ?? undefined)}
      />
      <Stat
        term="Failed"
        value={
          <span className={some && some.errors > 0 ? "text-bad" : ""}>{ratio(some?.error_rate, 1)}</span>
        }
        more={all ? `${count(all.errors)} with status 400 or more` : undefined}
      />
      <Stat term="Average" value={seconds(some?.average_seconds)} />
      <Stat term="Median" value={seconds(some?.p50_seconds)} />
      <Stat term="95th percentile" value={seconds(some?.p95_seconds)} />
      <Stat term="99th percentile" value={seconds(some?.p99_seconds)} />
    </Stats>
  );
}
