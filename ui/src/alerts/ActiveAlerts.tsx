import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Accordion } from "radix-ui";
import type { Alert } from "../api/types";
import { Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { AlertItem } from "./AlertItem";
import { byUrgency } from "./order";
import { activeAlertsQuery } from "./queries";

const route = getRouteApi("/shell/");

/** Alerts that fire, most urgent first. The one that is open stands in the address. */
export function ActiveAlerts() {
  const alerts = useQuery(activeAlertsQuery);
  const { period, alert: open = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const show = (id: string) =>
    void navigate({
      search: { ...(period ? { period } : {}), ...(id === "" ? {} : { alert: id }) },
      replace: true,
      resetScroll: false,
    });

  if (!alerts.data) {
    return alerts.error ? (
      <Panel title="Active alerts">
        <Failure error={alerts.error} retry={() => void alerts.refetch()} />
      </Panel>
    ) : (
      <Loading className="h-11" />
    );
  }
  const shown = byUrgency(alerts.data.items);
  if (shown.length === 0) return null;
  return (
    <Panel title="Active alerts" aside={<Counted alerts={shown} />}>
      <Accordion.Root type="single" collapsible value={open} onValueChange={show} className="pb-1.5">
        {shown.map((alert) => (
          <AlertItem key={alert.id} alert={alert} isOpen={alert.id === open} />
        ))}
      </Accordion.Root>
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
  return <>{parts.filter(Boolean).join(", ")}</>;
}
