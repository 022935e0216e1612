import { useQuery } from "@tanstack/react-query";
import { rulesReloadQuery } from "../alerts/queries";
import { Badge } from "../components/Badge";
import { Fact, Facts } from "../components/Facts";
import { Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { Time } from "../components/Time";
import { seconds } from "../format/format";
import { flagsQuery, statsQuery } from "./queries";

/** What of the configuration the server tells: the whole, with its secrets left out, is shown on its machine. */
export function ConfigurationTab() {
  const stats = useQuery(statsQuery);
  const flags = useQuery(flagsQuery);
  const reload = useQuery(rulesReloadQuery);
  return (
    <>
      <p className="text-muted">
        This is what the server tells of its settings. All of them, as they are in effect and without secrets,
        are shown on its machine by <code>watchkeeper config show</code>.
      </p>
      <Panel title="The server">
        {stats.data ? (
          <Facts>
            <Fact name="Version">{stats.data.version}</Fact>
            <Fact name="Answers since">
              <Time at={stats.data.started_at} />, for {seconds(stats.data.uptime_seconds)}
            </Fact>
            {stats.data.otlp_receivers.map(({ transport, address, fault }) => (
              <Fact key={transport} name={`OpenTelemetry, ${transport}`}>
                <Badge tone={fault ? "bad" : "good"}>{fault ? "does not listen" : "listens"}</Badge> {address}
                {fault && <span className="text-bad"> {fault}</span>}
              </Fact>
            ))}
            {reload.data && (
              <Fact name="Rules">
                read <Time at={reload.data.last_success} />
                {reload.data.follows ? ", and again whenever their files change" : ": those that are shipped"}
                {reload.data.error && <span className="text-bad">; {reload.data.error}</span>}
              </Fact>
            )}
          </Facts>
        ) : stats.error ? (
          <Failure error={stats.error} retry={() => void stats.refetch()} />
        ) : (
          <div className="p-4">
            <Loading />
          </div>
        )}
      </Panel>
      <Panel title="Settings" aside="under the names that Prometheus has for them">
        {flags.data ? (
          <Facts>
            {Object.entries(flags.data).map(([name, value]) => (
              <Fact key={name} name={name}>
                <code className="text-[13px]">{value}</code>
              </Fact>
            ))}
          </Facts>
        ) : flags.error ? (
          <Failure error={flags.error} retry={() => void flags.refetch()} />
        ) : (
          <div className="p-4">
            <Loading />
          </div>
        )}
      </Panel>
    </>
  );
}
