import { type FormEvent, type ReactNode, useEffect, useId, useState } from "react";
import { Button } from "../../components/Button";
import { type JobsSearch, STATUSES, VERDICTS } from "../address";

interface Props {
  readonly filters: JobsSearch;
  readonly onFilter: (filters: JobsSearch) => void;
}

/** What is written, and found when the form is sent. */
const WRITTEN = [
  { name: "q", label: "Text", hint: "id, document, stage, error" },
  { name: "kind", label: "Kind", hint: "extraction" },
  { name: "queue", label: "Queue", hint: "" },
  { name: "worker", label: "Worker", hint: "" },
  { name: "document", label: "Document", hint: "its id" },
  { name: "tenant", label: "Tenant", hint: "" },
] as const;

const VERDICT_NAMES: Record<(typeof VERDICTS)[number], string> = {
  any: "any trouble",
  waiting_no_consumer: "no worker takes it",
  owner_gone: "its worker is gone",
  over_expected_time: "longer than it said",
  over_stage_history: "longer than its like",
  no_heartbeat: "its worker is silent",
};

const FIELD = "h-8 w-full min-w-0 rounded-md border border-line-strong bg-surface px-2";

/** Which jobs are listed. What is chosen holds at once, what is written when it is sent. */
export function JobFilterForm({ filters, onFilter }: Props) {
  const [texts, write] = useState(filters);
  // The address may change by other means: a bucket that is pressed, or going back.
  const key = JSON.stringify(filters);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the filters are another object each time
  useEffect(() => write(filters), [key]);
  const send = (change: JobsSearch) => {
    const all = Object.entries({ ...texts, ...change }).map(([name, text]) => [name, text?.trim()] as const);
    onFilter(Object.fromEntries(all.filter(([, text]) => text)) as JobsSearch);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send({});
  };
  return (
    <form
      onSubmit={submit}
      aria-label="Filters of jobs"
      className="grid grid-cols-2 items-end gap-2 sm:grid-cols-4 xl:grid-cols-[minmax(0,1.5fr)_repeat(5,minmax(0,1fr))_minmax(0,0.9fr)_minmax(0,1.2fr)_auto]"
    >
      {WRITTEN.map(({ name, label, hint }) => (
        <Field key={name} label={label}>
          {(id) => (
            <input
              id={id}
              value={texts[name] ?? ""}
              placeholder={hint}
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => write({ ...texts, [name]: event.target.value })}
              className={FIELD}
            />
          )}
        </Field>
      ))}
      <Field label="Status">
        {(id) => (
          <Select
            id={id}
            value={filters.status}
            options={STATUSES.map((value) => [value, value])}
            onChoose={(status) => send({ status } as JobsSearch)}
          />
        )}
      </Field>
      <Field label="What is wrong">
        {(id) => (
          <Select
            id={id}
            value={filters.verdict}
            options={VERDICTS.map((value) => [value, VERDICT_NAMES[value]])}
            onChoose={(verdict) => send({ verdict } as JobsSearch)}
          />
        )}
      </Field>
      <div className="flex gap-2 max-sm:col-span-2">
        <Button type="submit" primary>
          Filter
        </Button>
        {Object.keys(filters).length > 0 && <Button onClick={() => onFilter({})}>Clear</Button>}
      </div>
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly children: (id: string) => ReactNode;
}

function Field({ label, children }: FieldProps) {
  const id = useId();
  return (
    <div className="grid min-w-0 gap-1">
      <label htmlFor={id} className="text-muted text-xs">
        {label}
      </label>
      {children(id)}
    </div>
  );
}

interface SelectProps {
  readonly id: string;
  readonly value: string | undefined;
  readonly options: readonly (readonly [string, string])[];
  readonly onChoose: (value: string | undefined) => void;
}

function Select({ id, value = "", options, onChoose }: SelectProps) {
  return (
    <select
      id={id}
      value={value}
      onChange={(event) => onChoose(event.target.value || undefined)}
      className={FIELD}
    >
      <option value="">any</option>
      {options.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}
