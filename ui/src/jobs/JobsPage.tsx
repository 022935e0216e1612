import { getRouteApi } from "@tanstack/react-router";
import type { JobsSearch } from "./address";
import { JobGrid } from "./grid/JobGrid";
import { JobFilterForm } from "./list/JobFilterForm";
import { JobList } from "./list/JobList";
import { TroubledJobs } from "./list/TroubledJobs";

const route = getRouteApi("/shell/jobs");

/** All jobs: how many of which kind ended when, and each of them. */
export function JobsPage() {
  const { status, kind, queue, worker, document, tenant, verdict, q } = route.useSearch();
  const filters: JobsSearch = Object.fromEntries(
    Object.entries({ status, kind, queue, worker, document, tenant, verdict, q }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  const navigate = route.useNavigate();
  const filter = (next: JobsSearch) => void navigate({ search: next, resetScroll: false });
  return (
    <div className="grid grid-cols-1 gap-5">
      <h1 className="font-semibold text-xl tracking-tight">Jobs</h1>
      <JobFilterForm filters={filters} onFilter={filter} />
      <JobGrid filters={filters} />
      {verdict === undefined ? <JobList filters={filters} /> : <TroubledJobs filters={filters} />}
    </div>
  );
}
