import { type FormEvent, useId, useState } from "react";
import { useMayOperate } from "../api/session";
import type { Alert } from "../api/types";
import { Button } from "../components/Button";
import { type AlertAction, useAlertAction } from "./queries";

/** The longest note that the server takes. */
const MAX_NOTE = 2_000;

/** Taking an alert on, or ending it, with a note; only for those who may. */
export function AlertActions({ alert }: { readonly alert: Alert }) {
  const mayOperate = useMayOperate();
  const act = useAlertAction();
  const [note, setNote] = useState("");
  const id = useId();
  if (alert.state === "pending") return null;
  if (!mayOperate)
    return <p className="text-muted text-xs">Operators can acknowledge and resolve this alert.</p>;

  const doIt = (action: AlertAction) =>
    act.mutate({ id: alert.id, action, note }, { onSuccess: () => setNote("") });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    doIt(alert.state === "firing" ? "acknowledge" : "resolve");
  };
  return (
    <form onSubmit={submit} className="grid gap-1.5">
      <label htmlFor={id} className="text-muted text-xs">
        Note for those who look later (optional)
      </label>
      <div className="flex flex-wrap gap-2">
        <input
          id={id}
          value={note}
          maxLength={MAX_NOTE}
          onChange={(event) => setNote(event.target.value)}
          className="h-8 min-w-52 max-w-md flex-1 max-sm:basis-full rounded-md border border-line-strong bg-surface px-2.5"
        />
        {alert.state === "firing" && (
          <Button type="submit" primary disabled={act.isPending}>
            Acknowledge
          </Button>
        )}
        <Button onClick={() => doIt("resolve")} disabled={act.isPending}>
          Resolve
        </Button>
      </div>
      {act.error && (
        <p role="alert" className="text-bad">
          {act.error.message}
        </p>
      )}
    </form>
  );
}
