import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { DataTable } from "../../components/DataTable";
import { Empty, Failure, Loading } from "../../components/Notices";
import { Panel } from "../../components/Panel";
import { count } from "../../format/format";
import { useTimeRange } from "../../time/useTimeRange";
import type { JobsSearch } from "../address";
import { troubledJobsQuery } from "../queries";
import { JOB_COLUMNS } from "./columns";

/** Unfinished jobs that something is wrong with. */
export function TroubledJobs({ filters }: { readonly filters: JobsSearch }) {
  const query = useQuery(troubledJobsQuery(filters, useTimeRange()));
  const navigate = useNavigate();
  const slots = useMemo(() => query.data?.items.map((item, place) => ({ place, item })) ?? [], [query.data]);
  return (
    <Panel
      title="Unfinished jobs that something is wrong with"
      aside={query.data ? count(slots.length) : undefined}
    >
      {query.data ? (
        <>
          {slots.length === 0 ? (
            <Empty title="No such job">
              Nothing of the kind is wrong with a job that waits or runs. Those that failed are found by their
              status.
            </Empty>
          ) : (
            <DataTable
              label="Jobs"
              columns={JOB_COLUMNS}
              rows={slots}
              rowKey={({ place }) => String(place)}
              onOpen={({ item }) => {
                if (item) void navigate({ to: "/jobs/$id", params: { id: item.job_id } });
              }}
            />
          )}
          {query.data.isPart && (
            <p className="px-4 py-2 text-muted text-xs">
              The newest 1,000 that wait and the newest 1,000 that run were looked through.
            </p>
          )}
        </>
      ) : query.error ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : (
        <div className="p-4">
          <Loading className="h-64" />
        </div>
      )}
    </Panel>
  );
}
