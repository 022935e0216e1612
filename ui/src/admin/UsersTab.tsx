import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { User } from "../api/types";
import { Badge } from "../components/Badge";
import { Button } from "../components/Button";
import { Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, Table } from "../components/Table";
import { Time } from "../components/Time";
import { AddUser } from "./AddUser";
import { PasswordDialog } from "./PasswordDialog";
import { useRemoveUser, usersQuery } from "./queries";
import { Removal } from "./Removal";

/** Who can log in, and as what. */
export function UsersTab() {
  const users = useQuery(usersQuery);
  const [front, show] = useState<{ readonly name: string; readonly does: "remove" | "password" } | null>(
    null,
  );
  const close = () => show(null);
  return (
    <>
      <Panel title="Users" aside={users.data && `${users.data.total} in all`}>
        {users.data ? (
          <UserTable
            users={users.data.items}
            onRemove={(name) => show({ name, does: "remove" })}
            onPassword={(name) => show({ name, does: "password" })}
          />
        ) : users.error ? (
          <Failure error={users.error} retry={() => void users.refetch()} />
        ) : (
          <div className="p-4">
            <Loading />
          </div>
        )}
      </Panel>
      <AddUser />
      {front?.does === "remove" && <RemoveUser name={front.name} onClose={close} />}
      {front?.does === "password" && <PasswordDialog name={front.name} onClose={close} />}
    </>
  );
}

interface TableProps {
  readonly users: readonly User[];
  readonly onRemove: (name: string) => void;
  readonly onPassword: (name: string) => void;
}

function UserTable({ users, onRemove, onPassword }: TableProps) {
  return (
    <Table label="Users">
      <thead>
        <tr>
          <th className={HEAD}>Name</th>
          <th className={HEAD}>Role</th>
          <th className={HEAD}>Made</th>
          <th className={HEAD}>Can log in</th>
          <th className={HEAD}>Actions</th>
        </tr>
      </thead>
      <tbody>
        {users.map((user) => (
          <tr key={user.id} className="border-line border-t">
            <td className={`${CELL} max-w-72 truncate font-medium`} title={user.name}>
              {user.name}
            </td>
            <td className={CELL}>{user.role}</td>
            <td className={CELL}>
              <Time at={user.created_at} />
            </td>
            <td className={CELL}>
              {user.disabled_at ? (
                <Badge tone="idle">
                  not since <Time at={user.disabled_at} />
                </Badge>
              ) : (
                "yes"
              )}
            </td>
            <td className={`${CELL} text-right`}>
              <span className="inline-flex gap-2">
                <Button onClick={() => onPassword(user.name)} aria-label={`Set password of ${user.name}`}>
                  Set password
                </Button>
                <Button onClick={() => onRemove(user.name)} aria-label={`Remove ${user.name}`}>
                  Remove
                </Button>
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function RemoveUser({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const removal = useRemoveUser();
  return (
    <Removal
      title={`Remove ${name}?`}
      action="Remove"
      isPending={removal.isPending}
      error={removal.error}
      onDo={() => removal.mutate(name, { onSuccess: onClose })}
      onClose={onClose}
    >
      {name} is logged out everywhere and cannot log in any more. What {name} did stays in the audit log.
    </Removal>
  );
}
