import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ApiKey } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { Button } from "../components/Button";
import { DataTable } from "../components/DataTable";
import { Empty, Failure, Loading } from "../components/Notices";
import { useNow } from "../components/now";
import { Panel } from "../components/Panel";
import type { Column } from "../components/sorting";
import { Time } from "../components/Time";
import { AddKey } from "./AddKey";
import { keysQuery, useRevokeKey } from "./queries";
import { Removal } from "./Removal";

/** What programs come in with. */
export function KeysTab() {
  const keys = useQuery(keysQuery);
  const [revoked, revoke] = useState<ApiKey | null>(null);
  const columns = keyColumns(revoke);
  return (
    <>
      <AddKey />
      <Panel title="API keys" aside={keys.data && `${keys.data.total} in all`}>
        {!keys.data && keys.error ? (
          <Failure error={keys.error} retry={() => void keys.refetch()} />
        ) : !keys.data ? (
          <div className="p-4">
            <Loading />
          </div>
        ) : keys.data.items.length === 0 ? (
          <Empty title="There is no key yet">
            Programs that send events, or ask, need one where they do not run on this machine.
          </Empty>
        ) : (
          <DataTable label="API keys" columns={columns} rows={keys.data.items} rowKey={({ id }) => id} />
        )}
      </Panel>
      {revoked && <RevokeKey apiKey={revoked} onClose={() => revoke(null)} />}
    </>
  );
}

function keyColumns(onRevoke: (key: ApiKey) => void): readonly Column<ApiKey>[] {
  return [
    {
      id: "name",
      head: "Name",
      cell: ({ name }) => <span title={name}>{name}</span>,
      className: "max-w-64 truncate font-medium",
    },
    { id: "state", head: "State", cell: (key) => <KeyState apiKey={key} /> },
    { id: "prefix", head: "Begins with", cell: ({ prefix }) => <code>{prefix}…</code> },
    { id: "scopes", head: "May", cell: ({ scopes }) => scopes.join(", ") },
    { id: "created", head: "Made", cell: ({ created_at }) => <Time at={created_at} /> },
    { id: "by", head: "By", cell: ({ created_by }) => created_by, className: "max-w-40 truncate" },
    { id: "used", head: "Last used", cell: ({ last_used_at }) => <Ago time={last_used_at} /> },
    {
      id: "expires",
      head: "Ends",
      cell: ({ expires_at }) => (expires_at ? <Time at={expires_at} style="minute" /> : "never"),
    },
    {
      id: "do",
      head: "Actions",
      cell: (key) =>
        key.revoked_at ? null : (
          <Button
            className="h-6 px-2 text-xs"
            onClick={() => onRevoke(key)}
            aria-label={`Revoke ${key.name}`}
          >
            Revoke
          </Button>
        ),
    },
  ];
}

function KeyState({ apiKey: { revoked_at, expires_at } }: { readonly apiKey: ApiKey }) {
  const now = useNow();
  if (revoked_at) return <Badge tone="idle">revoked</Badge>;
  if (expires_at && Date.parse(expires_at) <= now) return <Badge tone="idle">ended</Badge>;
  return <Badge tone="good">in use</Badge>;
}

function RevokeKey({ apiKey, onClose }: { readonly apiKey: ApiKey; readonly onClose: () => void }) {
  const revocation = useRevokeKey();
  return (
    <Removal
      title={`Revoke ${apiKey.name}?`}
      action="Revoke for good"
      isPending={revocation.isPending}
      error={revocation.error}
      onDo={() => revocation.mutate(apiKey.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      Whatever comes in with the key that begins with {apiKey.prefix} is turned away from now on. A revoked
      key does not come back.
    </Removal>
  );
}
