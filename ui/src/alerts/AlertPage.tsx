import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { AlertDetail } from "../api/types";
import { Failure, Loading } from "../components/Notices";
import { AlertChart } from "./AlertChart";
import { AlertHead } from "./AlertHead";
import { AlertLabels } from "./AlertLabels";
import { Findings } from "./Findings";
import { isUnknown, alertQuery as query } from "./queries";
import { Then } from "./Then";
import { Timeline } from "./Timeline";

const route = getRouteApi("/shell/alerts/$id");

/** One alert: what it says, what was found, what happened to it, and what else there was then. */
export function AlertPage() {
  const { id } = route.useParams();
  const alert = useQuery(query(id));
  if (alert.data) return <Shown alert={alert.data} />;
  if (!alert.error) return <Loading className="h-96" />;
  if (!isUnknown(alert.error)) return <Failure error={alert.error} retry={() => void alert.refetch()} />;
  return (
    <div className="grid justify-items-start gap-3">
      <h1 className="font-semibold text-xl tracking-tight">There is no such alert</h1>
      <p className="wrap-anywhere">
        None has the id <code>{id}</code>. It may be too old to be kept, or the link is not whole.
      </p>
      <Link to="/alerts" className="underline underline-offset-2">
        To all alerts
      </Link>
    </div>
  );
}

function Shown({ alert }: { readonly alert: AlertDetail }) {
  return (
    <div className="grid grid-cols-1 gap-5">
      <AlertHead alert={alert} />
      <div className="grid grid-cols-1 items-start gap-5 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <div className="grid grid-cols-1 gap-5">
          <AlertChart alert={alert} />
          <Findings alert={alert} />
        </div>
        <div className="grid grid-cols-1 gap-5">
          <AlertLabels alert={alert} />
          <Timeline alert={alert} />
        </div>
      </div>
      <Then alert={alert} />
    </div>
  );
}
