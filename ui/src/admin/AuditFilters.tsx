import { getRouteApi } from "@tanstack/react-router";
import type { FormEvent } from "react";
import { Button } from "../components/Button";
import { Choice } from "../components/Choice";
import { Field } from "../components/Field";
import type { AdminSearch } from "./address";

const route = getRouteApi("/shell/admin");

const FIELDS = [
  { name: "actor", label: "Who (whole name)" },
  { name: "action", label: "What: login, user, alert.acknowledge …" },
  { name: "target", label: "To what (whole name)" },
] as const;

const WHEN = [
  { value: "shown", text: "In the time shown", short: "Time shown" },
  { value: "all", text: "Whenever", short: "Whenever" },
] as const;

/** Which entries of the audit log are shown; what is typed counts once it is sent. */
export function AuditFilters() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { actor, action, target, when } = search;
  const go = (next: AdminSearch) => void navigate({ search: next, replace: true, resetScroll: false });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const typed = FIELDS.flatMap(({ name }) => {
      const value = String(data.get(name)).trim();
      return value === "" ? [] : [[name, value] as const];
    });
    go({ tab: "audit", ...(when ? { when } : {}), ...Object.fromEntries(typed) });
  };
  return (
    <search>
      {/* Another address, by a link or Back, fills it in anew. */}
      <form
        key={[actor, action, target].join("\n")}
        onSubmit={submit}
        className="flex flex-wrap items-end gap-3"
      >
        {FIELDS.map(({ name, label }) => (
          <Field
            key={name}
            label={label}
            name={name}
            defaultValue={search[name] ?? ""}
            autoComplete="off"
            className="min-w-56"
          />
        ))}
        <Button type="submit">Find</Button>
        <Choice
          label="When"
          value={when ?? "shown"}
          options={WHEN}
          onChange={(value) => {
            const { when: _when, ...rest } = search;
            go(value === "all" ? { ...rest, when: "all" } : rest);
          }}
        />
      </form>
    </search>
  );
}
