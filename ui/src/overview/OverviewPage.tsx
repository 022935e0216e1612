import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ActiveAlerts } from "../alerts/ActiveAlerts";
import { Choice } from "../components/Choice";
import { Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { Pipeline } from "./flow/Pipeline";
import { Headline } from "./Headline";
import { PERIOD_NAMES, PERIODS, type Period } from "./period";
import { overviewQuery } from "./queries";
import { RecentJobs } from "./RecentJobs";
import { RequestStatistics } from "./RequestStatistics";
import { SystemCards } from "./SystemCards";

const route = getRouteApi("/shell/");

const SHORT: Record<Period, string> = { hour: "1 h", day: "1 d", week: "1 w", month: "30 d" };
const OPTIONS = PERIODS.map((period) => ({
  value: period,
  text: PERIOD_NAMES[period],
  short: SHORT[period],
}));

/** The first page: what waits, what runs, what is wrong, and how it has been of late. */
export function OverviewPage() {
  const search = route.useSearch();
  const { period = "hour" } = search;
  const navigate = route.useNavigate();
  const overview = useQuery(overviewQuery);
  const choose = (period: Period) =>
    void navigate({ search: { ...search, period }, replace: true, resetScroll: false });

  return (
    <div className="grid gap-5">
      <Headline overview={overview.data} />
      <ActiveAlerts />
      <Panel title="Pipeline" aside="queues → workers → stages, live">
        {overview.data ? (
          <Pipeline overview={overview.data} />
        ) : overview.error ? (
          <Failure error={overview.error} retry={() => void overview.refetch()} />
        ) : (
          <div className="p-4">
            <Loading className="h-44" />
          </div>
        )}
      </Panel>
      <div className="flex flex-wrap items-center justify-between gap-3 pt-2">
        <h2 className="font-semibold text-base tracking-tight">System and requests</h2>
        <Choice label="Period" value={period} options={OPTIONS} onChange={choose} />
      </div>
      <SystemCards period={period} />
      <RequestStatistics period={period} />
      <RecentJobs />
    </div>
  );
}
