import { useQuery } from "@tanstack/react-query";
import type { Channel } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { Fact, Facts } from "../components/Facts";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { count } from "../format/format";
import { DELIVERY_STATES } from "./address";
import { Deliveries } from "./Deliveries";
import { channelsQuery } from "./queries";

/** Who is told of alerts, and whether that works. */
export function ChannelsTab() {
  const channels = useQuery(channelsQuery);
  const items = channels.data?.items ?? [];
  if (!channels.data) {
    return channels.error ? (
      <Failure error={channels.error} retry={() => void channels.refetch()} />
    ) : (
      <Loading className="h-40" />
    );
  }
  if (items.length === 0) {
    return (
      <Panel title="Channels">
        <Empty title="Nobody is told of alerts">
          Name a mailbox or an address in watchkeeper.toml, as <code>[[channels.email]]</code> or{" "}
          <code>[[channels.webhook]]</code>, and start Watchkeeper anew.
        </Empty>
      </Panel>
    );
  }
  return (
    <>
      <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
        {items.map((channel) => (
          <ChannelCard key={channel.name} channel={channel} />
        ))}
      </div>
      <Deliveries channels={items.map(({ name }) => name)} />
    </>
  );
}

function ChannelCard({ channel }: { readonly channel: Channel }) {
  const { up, last_error } = channel;
  return (
    <Panel
      title={channel.name}
      aside={
        <Badge tone={up === false ? "bad" : up ? "good" : "idle"}>
          {up === false ? "its last attempt failed" : up ? "works" : "not used yet"}
        </Badge>
      }
    >
      <Facts>
        <Fact name={channel.kind}>
          <span className="wrap-anywhere">{channel.target}</span>
        </Fact>
        <Fact name="Told of">
          {channel.min_severity} and worse{channel.send_resolved ? ", and of their ends" : ""}
        </Fact>
        <Fact name="Delivered last">
          <Ago time={channel.last_success} />
        </Fact>
        <Fact name="Failed last">
          <Ago time={channel.last_failure} />
        </Fact>
        {last_error && up === false && (
          <Fact name="Why">
            <span className="wrap-anywhere text-bad">{last_error}</span>
          </Fact>
        )}
        <Fact name="Notifications">
          {DELIVERY_STATES.map((state) => `${count(channel.deliveries[state] ?? 0)} ${WORDS[state]}`).join(
            ", ",
          )}
        </Fact>
      </Facts>
    </Panel>
  );
}

const WORDS = { pending: "wait", failed: "tried again", delivered: "delivered", dead: "given up" };
