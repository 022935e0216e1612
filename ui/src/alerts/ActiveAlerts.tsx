import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Accordion } from "radix-ui";
import type { Alert } from "../api/types";
import { Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { AlertItem } from "./AlertItem";
import { NamedAlert } from "./NamedAlert";
import { byUrgency } from "./order";
import { activeAlertsQuery } from "./queries";

const route = getRouteApi("/shell/");

/** How many are shown at first: the picture of the pipeline below is to stay in sight. */
const MAX_SHOWN = 5;

/** Alerts that fire, most urgent first. The one that is open stands in the address, as notifications link to it. */
export function ActiveAlerts() {
  const alerts = useQuery(activeAlertsQuery);
  const { alert: open = "", alerts: which, ...rest } = route.useSearch();
  const navigate = route.useNavigate();
  const go = (id: string, all: boolean) =>
    void navigate({
      search: { ...rest, ...(id === "" ? {} : { alert: id }), ...(all ? { alerts: "all" } : {}) },
      replace: true,
      resetScroll: false,
    });
  const all = which === "all";

  if (!alerts.data) {
    return alerts.error ? (
      <Panel title="Active alerts">
        <Failure error={alerts.error} retry={() => void alerts.refetch()} />
      </Panel>
    ) : (
      <Loading className="h-11" />
    );
  }
  const active = byUrgency(alerts.data.items);
  const isElsewhere = open !== "" && !active.some((alert) => alert.id === open);
  if (active.length === 0 && !isElsewhere) return null;
  const shown = active.filter((alert, place) => all || place < MAX_SHOWN || alert.id === open);
  return (
    <Panel title="Active alerts" aside={<Counted alerts={active} />}>
      {isElsewhere && <NamedAlert id={open} onDismiss={() => go("", all)} />}
      <Accordion.Root
        type="single"
        collapsible
        value={open}
        onValueChange={(id) => go(id, all)}
        className="pb-1.5"
      >
        {shown.map((alert) => (
          <AlertItem key={alert.id} alert={alert} isOpen={alert.id === open} />
        ))}
      </Accordion.Root>
      {(all || shown.length < active.length) && active.length > MAX_SHOWN && (
        <button
          type="button"
          onClick={() => go(open, !all)}
          className="w-full border-line border-t px-4 py-2 text-left text-muted text-xs hover:text-ink"
        >
          {all ? "Show the most urgent alone" : `Show all ${active.length}`}
        </button>
      )}
    </Panel>
  );
}

function Counted({ alerts }: { readonly alerts: readonly Alert[] }) {
  const amount = (state: string) => alerts.filter((alert) => alert.state === state).length;
  const parts = [
    `${amount("firing")} firing`,
    amount("acknowledged") > 0 ? `${amount("acknowledged")} acknowledged` : null,
    amount("pending") > 0 ? `${amount("pending")} about to fire` : null,
  ];
  return (
    <Link to="/alerts" className="hover:text-ink hover:underline">
      {parts.filter(Boolean).join(", ")}
    </Link>
  );
}
