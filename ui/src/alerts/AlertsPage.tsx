import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { Loading } from "../components/Notices";
import { PageTabs } from "../components/PageTabs";
import { ActiveTab } from "./ActiveTab";
import type { Tab } from "./address";

const route = getRouteApi("/shell/alerts");

const TABS: readonly { readonly value: Tab; readonly text: string }[] = [
  { value: "active", text: "Active" },
  { value: "history", text: "History" },
  { value: "rules", text: "Rules" },
  { value: "channels", text: "Channels" },
];

// Charts and long tables come with the tabs that have them.
const SHOWN = {
  active: ActiveTab,
  history: lazy(async () => ({ default: (await import("./HistoryTab")).HistoryTab })),
  rules: lazy(async () => ({ default: (await import("./RulesTab")).RulesTab })),
  channels: lazy(async () => ({ default: (await import("./ChannelsTab")).ChannelsTab })),
};

/** What fires and what has fired, by which rules, and who is told. */
export function AlertsPage() {
  const { tab = "active", severity, rule } = route.useSearch();
  const navigate = route.useNavigate();
  const Shown = SHOWN[tab];
  // What is looked for stays where it means the same.
  const go = (tab: Tab) =>
    void navigate({
      search: { tab, ...(severity ? { severity } : {}), ...(rule && tab !== "channels" ? { rule } : {}) },
    });
  return (
    <div className="grid grid-cols-1 gap-4">
      <h1 className="font-semibold text-xl tracking-tight">Alerts</h1>
      <PageTabs label="What is shown" value={tab} tabs={TABS} onChange={go}>
        <Suspense fallback={<Loading className="h-64" />}>
          <Shown />
        </Suspense>
      </PageTabs>
    </div>
  );
}
