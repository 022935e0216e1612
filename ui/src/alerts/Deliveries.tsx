import { useQuery } from "@tanstack/react-query";
import type { Delivery } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { DataTable } from "../components/DataTable";
import { Pick } from "../components/Field";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import type { Column } from "../components/sorting";
import { Time } from "../components/Time";
import { count } from "../format/format";
import { DELIVERY_STATES } from "./address";
import { deliveriesQuery } from "./queries";
import { deliveryOutcome } from "./timeline";
import { useAlertsSearch } from "./useAlertsSearch";

/** Notifications, newest first, and what became of each. */
export function Deliveries({ channels }: { readonly channels: readonly string[] }) {
  const [{ channel, delivery }, change] = useAlertsSearch();
  const deliveries = useQuery(deliveriesQuery({ state: delivery, channel }));
  const names = channel === undefined || channels.includes(channel) ? channels : [...channels, channel];
  return (
    <>
      <search className="flex flex-wrap items-end gap-3" aria-label="Which notifications">
        <Pick
          label="Channel"
          value={channel ?? ""}
          options={[{ value: "", text: "Any" }, ...names.map((value) => ({ value, text: value }))]}
          onChange={(value) => change({ channel: value || undefined })}
        />
        <Pick
          label="Outcome"
          value={delivery ?? ""}
          options={[
            { value: "" as const, text: "Any" },
            ...DELIVERY_STATES.map((value) => ({ value, text: deliveryOutcome(value).text })),
          ]}
          onChange={(value) => change({ delivery: value || undefined })}
        />
      </search>
      <Panel title="Notifications" aside={deliveries.data && `${count(deliveries.data.total)} in all`}>
        {!deliveries.data && deliveries.error ? (
          <Failure error={deliveries.error} retry={() => void deliveries.refetch()} />
        ) : !deliveries.data ? (
          <div className="p-4">
            <Loading className="h-40" />
          </div>
        ) : deliveries.data.items.length === 0 ? (
          <Empty title="There is no such notification">
            One is queued for each channel when an alert fires or is over.
          </Empty>
        ) : (
          <>
            <DataTable
              label="Notifications"
              columns={COLUMNS}
              rows={deliveries.data.items}
              rowKey={({ id }) => id}
            />
            {deliveries.data.total > deliveries.data.items.length && (
              <p className="px-4 pb-3 text-muted text-xs">
                The newest {deliveries.data.items.length} are shown.
              </p>
            )}
          </>
        )}
      </Panel>
    </>
  );
}

const COLUMNS: readonly Column<Delivery>[] = [
  {
    id: "state",
    head: "Outcome",
    cell: ({ state }) => {
      const { tone, text } = deliveryOutcome(state);
      return <Badge tone={tone}>{text}</Badge>;
    },
  },
  { id: "channel", head: "Channel", cell: ({ channel }) => channel },
  {
    id: "subject",
    head: "Subject",
    cell: ({ subject }) => <span title={subject}>{subject}</span>,
    className: "max-w-[32rem] truncate",
  },
  { id: "created", head: "Queued", cell: ({ created_at }) => <Time at={created_at} /> },
  { id: "attempts", head: "Attempts", cell: ({ attempts }) => count(attempts), isNumber: true },
  {
    id: "then",
    head: "Ended, or is tried next",
    cell: ({ finished_at, next_attempt_at }) =>
      finished_at ? <Ago time={finished_at} /> : <Time at={next_attempt_at} />,
  },
  {
    id: "said",
    head: "What the receiver said",
    cell: ({ outcome }) => (outcome ? <span title={outcome}>{outcome}</span> : "–"),
    className: "max-w-[32rem] truncate text-muted",
  },
];
