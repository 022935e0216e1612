import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { Request } from "../api/types";
import { Badge } from "../components/Badge";
import { Empty, Failure, Loading } from "../components/Notices";
import { seconds } from "../format/format";
import { requestQuery } from "./queries";
import { RequestErrors } from "./RequestErrors";
import { RequestFacts } from "./RequestFacts";
import { RequestJobs } from "./RequestJobs";
import { statusTone } from "./status";

const route = getRouteApi("/shell/requests/$id");

/** One request: what it was, what went wrong, and where its work went on. */
export function RequestPage() {
  const { id } = route.useParams();
  const { at } = route.useSearch();
  const query = useQuery(requestQuery(id, at));
  const request = query.data;
  return (
    <div className="grid grid-cols-1 gap-5">
      <p className="text-muted">
        <Link to="/requests" className="underline underline-offset-2 hover:text-ink">
          Requests
        </Link>
      </p>
      {request ? (
        <Whole request={request} />
      ) : query.error ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : request === null ? (
        <>
          <h1 className="font-semibold text-xl tracking-tight">Request</h1>
          <Empty title="There is no such request">
            It may be too old to be kept, or the link is not whole. Its id is{" "}
            <code className="wrap-anywhere">{id}</code>.
          </Empty>
        </>
      ) : (
        <Loading className="h-64" />
      )}
    </div>
  );
}

function Whole({ request }: { readonly request: Request }) {
  return (
    <>
      <div className="grid gap-1">
        <h1 className="wrap-anywhere font-semibold text-xl tracking-tight">
          {request.method} {request.path}
        </h1>
        <p className="flex flex-wrap items-center gap-2">
          <Badge tone={statusTone(request.status_code)}>{request.status_code}</Badge>
          in {seconds(request.duration_seconds)}
          {request.service && <> by {request.service}</>}
        </p>
      </div>
      <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-2">
        <RequestFacts request={request} />
        <RequestJobs request={request} />
      </div>
      <RequestErrors request={request} />
    </>
  );
}
