import { useQuery } from "@tanstack/react-query";
import { ActiveAlerts } from "../alerts/ActiveAlerts";
import { Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { Pipeline } from "./flow/Pipeline";
import { Headline } from "./Headline";
import { overviewQuery } from "./queries";
import { RecentJobs } from "./RecentJobs";
import { RequestStatistics } from "./RequestStatistics";
import { SystemCards } from "./SystemCards";

/** The first page: what waits, what runs, what is wrong, and how it has been of late. */
export function OverviewPage() {
  const overview = useQuery(overviewQuery);

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
      <h2 className="pt-2 font-semibold text-base tracking-tight">System and requests</h2>
      <SystemCards />
      <RequestStatistics />
      <RecentJobs />
    </div>
  );
}
