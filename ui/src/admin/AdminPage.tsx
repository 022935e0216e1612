import { getRouteApi } from "@tanstack/react-router";
import { type ComponentType, lazy, Suspense } from "react";
import { useMayAdminister, useSession } from "../api/session";
import { Empty, Loading } from "../components/Notices";
import { PageTabs } from "../components/PageTabs";
import { Panel } from "../components/Panel";
import type { Tab } from "./address";
import { UsersTab } from "./UsersTab";

const route = getRouteApi("/shell/admin");

interface Part {
  readonly value: Tab;
  readonly text: string;
  readonly Shown: ComponentType;
  /** Whether administrators alone may see it. */
  readonly isGuarded: boolean;
}

// Charts and long tables come with the tabs that have them.
const KeysTab = lazy(async () => ({ default: (await import("./KeysTab")).KeysTab }));
const AuditTab = lazy(async () => ({ default: (await import("./AuditTab")).AuditTab }));
const CollectorsTab = lazy(async () => ({ default: (await import("./CollectorsTab")).CollectorsTab }));
const StorageTab = lazy(async () => ({ default: (await import("./StorageTab")).StorageTab }));
const IngestTab = lazy(async () => ({ default: (await import("./IngestTab")).IngestTab }));
const ConfigurationTab = lazy(async () => ({
  default: (await import("./ConfigurationTab")).ConfigurationTab,
}));

const PARTS: readonly Part[] = [
  { value: "users", text: "Users", Shown: UsersTab, isGuarded: true },
  { value: "keys", text: "API keys", Shown: KeysTab, isGuarded: true },
  { value: "audit", text: "Audit log", Shown: AuditTab, isGuarded: true },
  { value: "collectors", text: "Collectors", Shown: CollectorsTab, isGuarded: false },
  { value: "storage", text: "Storage", Shown: StorageTab, isGuarded: false },
  { value: "ingest", text: "Ingest and redaction", Shown: IngestTab, isGuarded: false },
  { value: "configuration", text: "Configuration", Shown: ConfigurationTab, isGuarded: false },
];

/** Who may do what, who did what, and how Watchkeeper itself does. */
export function AdminPage() {
  const { tab = "users" } = route.useSearch();
  const navigate = route.useNavigate();
  const mayAdminister = useMayAdminister();
  const part = PARTS.find(({ value }) => value === tab);
  return (
    <div className="grid grid-cols-1 gap-4">
      <h1 className="font-semibold text-xl tracking-tight">Admin</h1>
      <PageTabs
        label="What is shown"
        value={tab}
        tabs={PARTS}
        onChange={(tab) => void navigate({ search: { tab } })}
      >
        <Suspense fallback={<Loading className="h-64" />}>
          {part && (part.isGuarded && !mayAdminister ? <Guarded name={part.text} /> : <part.Shown />)}
        </Suspense>
      </PageTabs>
    </div>
  );
}

function Guarded({ name }: { readonly name: string }) {
  const session = useSession();
  return (
    <Panel title={name}>
      <Empty title="This is for administrators">
        {session?.role ? `You are logged in as ${session.name}, ${session.role}.` : "You may not see it."}{" "}
        Whoever is an administrator can see it, and make users and keys.
      </Empty>
    </Panel>
  );
}
