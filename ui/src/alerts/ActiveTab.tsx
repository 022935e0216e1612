import { useQuery } from "@tanstack/react-query";
import type { Alert } from "../api/types";
import { Button } from "../components/Button";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { AlertFilters } from "./AlertFilters";
import { AlertRow } from "./AlertRow";
import { STATES } from "./address";
import { byUrgency } from "./order";
import { activeAlertsQuery } from "./queries";
import { useAlertsSearch } from "./useAlertsSearch";

const ACTIVE = STATES.filter((state) => state !== "resolved");

/** Alerts that fire or are about to, the most urgent first. */
export function ActiveTab() {
  const alerts = useQuery(activeAlertsQuery);
  return (
    <>
      <AlertFilters states={ACTIVE} />
      <Panel title="Active alerts" aside={alerts.data && `${alerts.data.total} in all`}>
        {alerts.data ? (
          <List alerts={alerts.data.items} total={alerts.data.total} />
        ) : alerts.error ? (
          <Failure error={alerts.error} retry={() => void alerts.refetch()} />
        ) : (
          <div className="p-4">
            <Loading className="h-40" />
          </div>
        )}
      </Panel>
    </>
  );
}

function List({ alerts, total }: { readonly alerts: readonly Alert[]; readonly total: number }) {
  const [{ state, severity, rule }, change] = useAlertsSearch();
  const shown = byUrgency(alerts).filter(
    (alert) =>
      (!ACTIVE.some((known) => known === state) || alert.state === state) &&
      (severity === undefined || alert.severity === severity) &&
      (rule === undefined || alert.rule === rule),
  );
  if (alerts.length === 0) {
    return (
      <Empty title="Nothing is wrong">
        No rule’s condition holds. The tab Rules says what is watched, History what has fired.
      </Empty>
    );
  }
  if (shown.length === 0) {
    return (
      <>
        <Empty title="None of the active alerts is such a one">{total} are active in all.</Empty>
        <p className="pb-4 text-center">
          <Button onClick={() => change({ state: undefined, severity: undefined, rule: undefined })}>
            Show all of them
          </Button>
        </p>
      </>
    );
  }
  return (
    <>
      <ul className="pb-1.5">
        {shown.map((alert) => (
          <AlertRow key={alert.id} alert={alert} />
        ))}
      </ul>
      {total > alerts.length && (
        <p className="px-4 pb-3 text-muted text-xs">
          Of {total} active alerts the {alerts.length} that changed last are looked at.
        </p>
      )}
    </>
  );
}
