import { type FormEvent, useRef, useState } from "react";
import { Button } from "../components/Button";
import { Field, Pick } from "../components/Field";
import { Panel } from "../components/Panel";
import { MIN_PASSWORD } from "./PasswordDialog";
import { useAddUser } from "./queries";

const ROLES = [
  { value: "viewer", text: "viewer: sees" },
  { value: "operator", text: "operator: acknowledges, resolves, retries" },
  { value: "admin", text: "admin: users, keys and audit as well" },
] as const;
type Role = (typeof ROLES)[number]["value"];

/** Makes a user. */
export function AddUser() {
  const form = useRef<HTMLFormElement>(null);
  const [role, choose] = useState<Role>("viewer");
  const add = useAddUser();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    add.mutate(
      { name: String(data.get("name")), password: String(data.get("password")), role },
      { onSuccess: () => form.current?.reset() },
    );
  };
  return (
    <Panel title="Add a user">
      <form ref={form} onSubmit={submit} className="grid gap-3 px-4 pt-1 pb-4">
        <div className="flex flex-wrap items-start gap-3">
          <Field label="Name" name="name" autoComplete="off" required className="max-sm:w-full" />
          <Field
            label={`Password, ${MIN_PASSWORD} characters at the least`}
            name="password"
            type="password"
            autoComplete="new-password"
            minLength={MIN_PASSWORD}
            required
            className="min-w-64 max-sm:w-full"
          />
          <Pick label="Role" value={role} options={ROLES} onChange={choose} />
          <Button type="submit" primary disabled={add.isPending} className="mt-5">
            Add user
          </Button>
        </div>
        <p role="status" className={add.data ? "wrap-anywhere text-good" : "sr-only"}>
          {add.data && `${add.data.name} can log in now, as ${add.data.role}.`}
        </p>
        {add.error && (
          <p role="alert" className="text-bad">
            {add.error.message}
          </p>
        )}
      </form>
    </Panel>
  );
}
