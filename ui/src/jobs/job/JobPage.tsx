import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { LINK } from "../../components/EntityLink";
import { Empty, Failure, Loading } from "../../components/Notices";
import { useNow } from "../../components/now";
import type { JobSearch } from "../address";
import type { JobDetail } from "../types";
import { Details } from "./details/Details";
import type { Usual } from "./expected";
import { JobFacts } from "./JobFacts";
import { JobHead } from "./JobHead";
import { componentsQuery, isOver, jobQuery, usualQuery } from "./queries";
import { rowOf, rowsOf } from "./rows";
import { MemoryTables } from "./waterfall/MemoryTables";
import { Waterfall } from "./waterfall/Waterfall";

const route = getRouteApi("/shell/jobs/$id");

/** One job: what became of it, and where its time and its memory went. */
export function JobPage() {
  const { id } = route.useParams();
  const query = useQuery(jobQuery(id));
  const job = query.data;
  return (
    <div className="grid grid-cols-1 gap-5">
      <p className="text-muted">
        <Link to="/jobs" className={LINK}>
          Jobs
        </Link>
      </p>
      {job ? (
        isOver(job) ? (
          <Whole job={job} now={Date.parse(job.last_event_at)} />
        ) : (
          <Going job={job} />
        )
      ) : query.error ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : job === null ? (
        <>
          <h1 className="font-semibold text-xl tracking-tight">Job</h1>
          <Empty title="There is no such job">
            It may be too old to be kept, or the link is not whole. Its id is{" "}
            <code className="wrap-anywhere">{id}</code>.
          </Empty>
        </>
      ) : (
        <Loading className="h-96" />
      )}
    </div>
  );
}

/** One that is not over: its bars grow. */
function Going({ job }: { readonly job: JobDetail }) {
  const now = useNow();
  return <Whole job={job} now={Math.max(now, Date.parse(job.last_event_at))} />;
}

function Whole({ job, now }: { readonly job: JobDetail; readonly now: number }) {
  const { bar, tab = "logs" } = route.useSearch();
  const navigate = route.useNavigate();
  const rows = useMemo(() => rowsOf(job, now), [job, now]);
  const usual = useQuery(usualQuery(job)).data ?? NONE;
  const components = useQuery(componentsQuery(job)).data ?? NO_EVENTS;
  const selected = rowOf(rows, bar);
  const go = (change: Change) =>
    void navigate({
      search: (search) => ({ ...search, ...change }) as JobSearch,
      replace: true,
      resetScroll: false,
    });
  return (
    <>
      <JobHead job={job} usual={usual} now={now} />
      <JobFacts job={job} />
      <Waterfall
        job={job}
        rows={rows}
        usual={usual}
        components={components}
        now={now}
        selected={selected}
        onSelect={(id) => go({ bar: id === bar ? undefined : id })}
      />
      <MemoryTables rows={rows} components={components} onSelect={(bar) => go({ bar })} />
      <Details
        job={job}
        rows={rows}
        selected={selected}
        tab={tab}
        onTab={(tab) => go({ tab })}
        onClear={() => go({ bar: undefined })}
      />
    </>
  );
}

/** What of the address becomes another; undefined is left out of it. */
type Change = { readonly [K in keyof JobSearch]: JobSearch[K] | undefined };

const NONE: ReadonlyMap<string, Usual> = new Map();
const NO_EVENTS: readonly never[] = [];
