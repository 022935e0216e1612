import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Badge } from "../components/Badge";
import { JobsLink } from "../components/EntityLink";
import { Empty, Failure, Loading } from "../components/Notices";
import { useNow } from "../components/now";
import { PageHead } from "../components/PageHead";
import { DocumentStages } from "./DocumentStages";
import { DocumentStats } from "./DocumentStats";
import { Dwells } from "./Dwells";
import { Failures } from "./Failures";
import { LlmCalls } from "./LlmCalls";
import type { DocumentJob } from "./model";
import { documentJobsQuery } from "./queries";
import { dwellOf, type Summary, summaryOf } from "./summary";
import { Waterfall } from "./Waterfall";

const route = getRouteApi("/shell/documents/$id");

/** One document across all its jobs and queues. */
export function DocumentPage() {
  const { id } = route.useParams();
  const query = useQuery(documentJobsQuery(id));
  const jobs = query.data?.jobs ?? [];
  return (
    <div className="grid grid-cols-1 gap-5">
      {query.data && jobs.length > 0 ? (
        <Whole id={id} name={query.data.name} jobs={jobs} isWhole={query.data.isWhole} />
      ) : (
        <>
          <PageHead title={id} above={<Above />} />
          {query.data ? (
            <Empty title="No job names this document">
              Its id may be another, or what there was of it is older than what is kept.
            </Empty>
          ) : query.error ? (
            <Failure error={query.error} retry={() => void query.refetch()} />
          ) : (
            <Loading className="h-64" />
          )}
        </>
      )}
    </div>
  );
}

function Above() {
  return (
    <Link to="/documents" className="underline underline-offset-2 hover:text-ink">
      Documents
    </Link>
  );
}

interface Props {
  readonly id: string;
  readonly name: string | null;
  readonly jobs: readonly DocumentJob[];
  readonly isWhole: boolean;
}

function Whole({ id, name, jobs, isWhole }: Props) {
  const now = useNow();
  const summary = summaryOf(jobs, now);
  const { first, last, isOpen } = summary;
  const end = isOpen ? Math.max(now, last ?? 0) : last;
  const ids = jobs.map((job) => job.id);
  const stuck = jobs.filter((job) => job.stuck !== "");
  return (
    <>
      <PageHead
        title={name ?? id}
        above={<Above />}
        badge={<State summary={summary} stuck={stuck.length} />}
        aside={
          <JobsLink of="document" id={id}>
            Its jobs in a list
          </JobsLink>
        }
      >
        {name !== null && <span className="font-mono text-[13px]">{id}</span>}
      </PageHead>
      {stuck.map((job) => (
        <p key={job.id} className="wrap-anywhere rounded-lg bg-warn-soft px-3 py-2 text-warn">
          {job.kind ?? job.id}: {job.stuck}
        </p>
      ))}
      {!isWhole && (
        <p role="status" className="rounded-lg bg-warn-soft px-3 py-2 text-warn">
          There is more of this document than is shown here: sums are of the part that is.
        </p>
      )}
      <DocumentStats id={id} jobs={ids} summary={summary} now={now} />
      {first !== null && end !== null && <Waterfall jobs={jobs} first={first} last={end} now={now} />}
      <Dwells dwells={dwellOf(jobs, now)} />
      <Failures jobs={jobs} />
      <DocumentStages id={id} jobs={ids} />
      <LlmCalls id={id} jobs={ids} />
    </>
  );
}

function State({ summary, stuck }: { readonly summary: Summary; readonly stuck: number }) {
  if (stuck > 0) return <Badge tone="warn">stuck</Badge>;
  if (summary.isOpen) return <Badge tone="note">in work</Badge>;
  return summary.failed > 0 ? <Badge tone="bad">failed</Badge> : <Badge tone="good">done</Badge>;
}
