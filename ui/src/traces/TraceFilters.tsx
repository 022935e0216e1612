import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useState } from "react";
import { boundOf, termOf, valuesOf, withBound, withoutField, withTerm } from "../search/terms";
import { operationNamesQuery, serviceNamesQuery } from "./queries";

interface Props {
  readonly q: string;
  readonly onQuery: (q: string) => void;
}

const FIELD = "h-8 min-w-0 rounded-md border border-line-strong bg-surface px-2 text-[13px]";
const STATUSES = ["error", "ok", "unset"];

/** The usual terms of a search of traces, to choose from. They are terms of the search like others. */
export function TraceFilters({ q, onQuery }: Props) {
  const service = valuesOf(q, "service")[0] ?? "";
  const services = useQuery(serviceNamesQuery).data ?? [];
  const operations = useQuery(operationNamesQuery(service)).data ?? [];
  const choose = (field: string, value: string) => {
    // What one does is done by that service alone.
    const kept = withoutField(field === "service" ? withoutField(q, "name") : q, field);
    onQuery(value === "" ? kept : withTerm(kept, termOf(field, [value])));
  };
  return (
    <fieldset aria-label="Filters" className="flex flex-wrap items-end gap-2 max-sm:grid max-sm:grid-cols-2">
      <Select
        label="Service"
        value={service}
        values={services}
        all="All services"
        onChange={(value) => choose("service", value)}
      />
      <Select
        label="Operation"
        value={valuesOf(q, "name")[0] ?? ""}
        values={operations}
        all={service === "" ? "Choose a service first" : "All operations"}
        onChange={(value) => choose("name", value)}
      />
      <Duration
        label="At least"
        value={boundOf(q, "duration", ">=")}
        onChange={(value) => onQuery(withBound(q, "duration", ">=", value))}
      />
      <Duration
        label="At most"
        value={boundOf(q, "duration", "<=")}
        onChange={(value) => onQuery(withBound(q, "duration", "<=", value))}
      />
      <Select
        label="Status"
        value={valuesOf(q, "status")[0] ?? ""}
        values={STATUSES}
        all="Any status"
        onChange={(value) => choose("status", value)}
      />
    </fieldset>
  );
}

interface SelectProps {
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
  /** What it says where nothing is chosen. */
  readonly all: string;
  readonly onChange: (value: string) => void;
}

function Select({ label, value, values, all, onChange }: SelectProps) {
  const id = useId();
  const known = value === "" || values.includes(value) ? values : [value, ...values];
  return (
    <div className="grid min-w-0 gap-1">
      <label htmlFor={id} className="text-muted text-xs">
        {label}
      </label>
      <select
        id={id}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className={`${FIELD} max-w-60`}
      >
        <option value="">{all}</option>
        {known.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

interface DurationProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Duration({ label, value, onChange }: DurationProps) {
  const id = useId();
  const [draft, write] = useState(value);
  useEffect(() => write(value), [value]);
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (draft.trim() !== value) onChange(draft.trim());
  };
  return (
    <form onSubmit={submit} className="grid min-w-0 gap-1">
      <label htmlFor={id} className="text-muted text-xs">
        {label}
      </label>
      <input
        id={id}
        value={draft}
        placeholder="250ms"
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => write(event.target.value)}
        onBlur={() => submit()}
        className={`${FIELD} w-24 font-mono placeholder:text-muted max-sm:w-full`}
      />
    </form>
  );
}
