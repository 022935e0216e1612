import type { FormEvent } from "react";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Field } from "../components/Field";
import { useSetPassword } from "./queries";

/** The shortest password that the server takes. */
export const MIN_PASSWORD = 12;

/** Gives a user another password. */
export function PasswordDialog({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const change = useSetPassword();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const password = String(new FormData(event.currentTarget).get("password"));
    change.mutate({ name, password }, { onSuccess: onClose });
  };
  return (
    <Dialog
      label={`Set the password of ${name}`}
      onClose={onClose}
      className="w-[440px] max-w-[calc(100vw-16px)]"
    >
      <form onSubmit={submit} className="grid gap-3 p-5">
        <h2 className="wrap-anywhere font-semibold text-base">Set the password of {name}</h2>
        <p className="text-muted">{name} is logged out everywhere by it.</p>
        <Field
          label={`New password, ${MIN_PASSWORD} characters at the least`}
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={MIN_PASSWORD}
          required
        />
        {change.error && (
          <p role="alert" className="text-bad">
            {change.error.message}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" primary disabled={change.isPending}>
            Set password
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
