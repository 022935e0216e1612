import { getRouteApi } from "@tanstack/react-router";
import { useMayAdminister, useSession } from "../api/session";
import { Empty } from "../components/Notices";
import { PageTabs } from "../components/PageTabs";
import { Panel } from "../components/Panel";
import { AuditTab } from "./AuditTab";
import type { Tab } from "./address";
import { CollectorsTab } from "./CollectorsTab";
import { ConfigurationTab } from "./ConfigurationTab";
import { IngestTab } from "./IngestTab";
import { KeysTab } from "./KeysTab";
import { StorageTab } from "./StorageTab";
import { UsersTab } from "./UsersTab";

const route = getRouteApi("/shell/admin");

interface Part {
  readonly value: Tab;
  readonly text: string;
  readonly Shown: () => React.JSX.Element;
  /** Whether administrators alone may see it. */
  readonly isGuarded: boolean;
}

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
        {part && (part.isGuarded && !mayAdminister ? <Guarded name={part.text} /> : <part.Shown />)}
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
