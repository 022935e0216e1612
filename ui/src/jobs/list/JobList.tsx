import { useNavigate } from "@tanstack/react-router";
import { DataTable } from "../../components/DataTable";
import { Empty, Failure, Loading } from "../../components/Notices";
import { Panel } from "../../components/Panel";
import { count } from "../../format/format";
import { useTimeRange } from "../../time/useTimeRange";
import type { JobsSearch } from "../address";
import { JOB_COLUMNS } from "./columns";
import { MOST_ROWS } from "./pages";
import { usePages } from "./usePages";

/** Each job of the time that is shown, newest first. It can be scrolled through at once, however long it is. */
export function JobList({ filters }: { readonly filters: JobsSearch }) {
  const range = useTimeRange();
  const navigate = useNavigate();
  const { slots, total, error, retry, onSight } = usePages(filters, range);
  return (
    <Panel
      title="Jobs, newest first"
      aside={total === undefined ? undefined : `${count(total)} in memory of this time`}
    >
      {total === undefined && error ? (
        <Failure error={error} retry={retry} />
      ) : total === undefined ? (
        <div className="p-4">
          <Loading className="h-64" />
        </div>
      ) : total === 0 ? (
        <NoJobs isFiltered={Object.keys(filters).length > 0} />
      ) : (
        <>
          {error && (
            <p role="alert" className="px-4 pb-2 text-bad">
              Not all of it could be loaded: {error.message}
            </p>
          )}
          <DataTable
            label="Jobs"
            columns={JOB_COLUMNS}
            rows={slots}
            rowKey={({ place }) => String(place)}
            onOpen={({ item }) => {
              if (item) void navigate({ to: "/jobs/$id", params: { id: item.job_id } });
            }}
            onSight={onSight}
          />
          {total > MOST_ROWS && (
            <p className="px-4 py-2 text-muted text-xs">
              The newest {count(MOST_ROWS)} are listed. Filters and a shorter time lead to the others.
            </p>
          )}
        </>
      )}
    </Panel>
  );
}

export function NoJobs({ isFiltered }: { readonly isFiltered: boolean }) {
  return isFiltered ? (
    <Empty title="No such job in this time">
      Choose a longer time at the top of the page, or fewer filters.
    </Empty>
  ) : (
    <Empty title="No job in this time">
      Pipelines report theirs as events to POST /api/v1/events; the guide shows how. Jobs of long ago are
      found by SQL.
    </Empty>
  );
}
