import { useQuery } from "@tanstack/react-query";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { Gpus } from "./Gpus";
import { HostCard } from "./HostCard";
import { Probes } from "./Probes";
import { hostsQuery } from "./queries";

/** Each host as it is now, all GPUs, and the services that are asked from here. */
export function HostsPage() {
  const query = useQuery(hostsQuery);
  const hosts = query.data?.items ?? [];
  return (
    <div className="grid grid-cols-1 gap-5">
      <h1 className="font-semibold text-xl tracking-tight">Hosts and GPUs</h1>
      {query.error && !query.data ? (
        <Panel title="Hosts">
          <Failure error={query.error} retry={() => void query.refetch()} />
        </Panel>
      ) : !query.data ? (
        <Loading className="h-56" />
      ) : hosts.length === 0 ? (
        <Panel title="Hosts">
          <Empty title="No host is watched">
            Watchkeeper watches the one that it runs on, unless <code>[host] enabled = false</code> is
            configured.
          </Empty>
        </Panel>
      ) : (
        <div className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,440px),1fr))] gap-5">
          {hosts.map((host) => (
            <HostCard key={host.host} host={host} />
          ))}
        </div>
      )}
      {query.data && <Gpus hosts={hosts} />}
      <Probes />
    </div>
  );
}
