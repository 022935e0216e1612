import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ApiError } from "../api/client";
import type { Host } from "../api/types";
import { Ago } from "../components/Ago";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { bytes } from "../format/format";
import { sortingOf, sortingText } from "./address";
import { Exits } from "./Exits";
import { Filesystems } from "./Filesystems";
import { Gpus } from "./Gpus";
import { HostCharts } from "./HostCharts";
import { HostGauges } from "./HostGauges";
import { Probes } from "./Probes";
import { Processes } from "./Processes";
import { ProcessGroups } from "./ProcessGroups";
import { hostQuery } from "./queries";
import { Units } from "./Units";

const route = getRouteApi("/shell/hosts/$name");

/** One host: how it did, what fills it, what runs on it and what ended there. */
export function HostPage() {
  const { name } = route.useParams();
  const query = useQuery(hostQuery(name));
  const isUnknown = query.error instanceof ApiError && query.error.status === 404;
  return (
    <div className="grid grid-cols-1 gap-5">
      <div className="grid gap-1">
        <p className="text-muted">
          <Link to="/hosts" className="underline underline-offset-2 hover:text-ink">
            Hosts and GPUs
          </Link>
        </p>
        <h1 className="wrap-anywhere font-semibold text-xl tracking-tight">{name}</h1>
      </div>
      {query.data ? (
        <Whole host={query.data} />
      ) : isUnknown ? (
        <Empty title="There is no such host">
          It is not among those that are watched, or has another name now.
        </Empty>
      ) : query.error ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : (
        <Loading className="h-64" />
      )}
    </div>
  );
}

function Whole({ host }: { readonly host: Host }) {
  const { sort } = route.useSearch();
  const navigate = route.useNavigate();
  const name = host.host;
  return (
    <>
      <Panel title="Now" aside={<Ago time={host.time} />}>
        <div className="grid gap-4 px-4 pb-4 sm:grid-cols-[minmax(0,440px)_minmax(0,1fr)]">
          <HostGauges host={host} />
          <p className="self-center text-muted">
            Load {host.load.map((load) => load.toFixed(2)).join(", ")} over 1, 5 and 15 minutes; memory of{" "}
            {bytes(host.memory_total_bytes)}, swap {bytes(host.swap_used_bytes)} of{" "}
            {bytes(host.swap_total_bytes)}; started <Ago time={host.booted_at} />
            {host.oom_kills != null && <>; {host.oom_kills} processes killed for want of memory since</>}.
          </p>
        </div>
      </Panel>
      <HostCharts host={host} />
      <Filesystems host={host} />
      <Gpus hosts={[host]} />
      <Processes
        host={host}
        sorting={sortingOf(sort)}
        onSort={(sorting) => {
          const text = sortingText(sorting);
          void navigate({
            search: text === undefined ? {} : { sort: text },
            replace: true,
            resetScroll: false,
          });
        }}
      />
      <ProcessGroups host={name} />
      <Units host={name} />
      <Exits host={name} />
      <Probes />
    </>
  );
}
