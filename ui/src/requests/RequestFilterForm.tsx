import { type FormEvent, useEffect, useId, useState } from "react";
import { Button } from "../components/Button";
import { FILTERS, isDuration, isMethod, isStatus, type RequestFilters } from "./address";

interface Props {
  readonly filters: RequestFilters;
  readonly onFilter: (filters: RequestFilters) => void;
}

type Texts = { readonly [K in keyof RequestFilters]-?: string };

const FIELDS: Record<keyof RequestFilters, { readonly label: string; readonly hint?: string }> = {
  method: { label: "Method", hint: "GET" },
  status: { label: "Status", hint: "404, 5xx" },
  service: { label: "Service" },
  route: { label: "Route", hint: "/documents/{id}" },
  q: { label: "Text in the path" },
  user: { label: "User" },
  api_key: { label: "API key id" },
  client: { label: "Client address" },
  request_id: { label: "Request id" },
  min_duration: { label: "Took at least, in s", hint: "0.5" },
};

/** What is wrong with a text; null when it can be asked for. */
function faultOf(name: keyof RequestFilters, text: string): string | null {
  if (text === "") return null;
  if (name === "status" && !isStatus(text)) return "A status is a number like 404, or a class like 4xx.";
  if (name === "method" && !isMethod(text)) return "A method is a word like GET.";
  if (name === "min_duration" && !isDuration(text)) return "The duration is a number of seconds like 0.5.";
  return null;
}

/** Which requests are listed. */
export function RequestFilterForm({ filters, onFilter }: Props) {
  const [texts, write] = useState(() => textsOf(filters));
  const [fault, setFault] = useState<string | null>(null);
  // The address may be changed by other means: by a group that is pressed, or by going back.
  useEffect(() => write(textsOf(filters)), [filters]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const trimmed = FILTERS.map((name) => [name, texts[name].trim()] as const);
    const found = trimmed.map(([name, text]) => faultOf(name, text)).find((one) => one !== null) ?? null;
    setFault(found);
    if (found === null) {
      onFilter(Object.fromEntries(trimmed.map(([name, text]) => [name, text === "" ? undefined : text])));
    }
  };
  const isAny = FILTERS.some((name) => filters[name] !== undefined);
  return (
    <form onSubmit={submit} aria-label="Filters of requests" className="grid gap-2 px-4 pb-3">
      <div className="grid grid-cols-2 gap-2 sm:grid-cols-3 lg:grid-cols-5">
        {FILTERS.map((name) => (
          <Field
            key={name}
            {...FIELDS[name]}
            value={texts[name]}
            onChange={(text) => write({ ...texts, [name]: text })}
          />
        ))}
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <Button type="submit" primary>
          Filter
        </Button>
        {isAny && (
          <Button onClick={() => onFilter(Object.fromEntries(FILTERS.map((name) => [name, undefined])))}>
            Clear
          </Button>
        )}
        {fault !== null && (
          <p role="alert" className="text-bad text-xs">
            {fault}
          </p>
        )}
      </div>
    </form>
  );
}

function textsOf(filters: RequestFilters): Texts {
  return Object.fromEntries(FILTERS.map((name) => [name, filters[name] ?? ""])) as Texts;
}

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Field({ label, hint, value, onChange }: FieldProps) {
  const id = useId();
  return (
    <div className="grid gap-1">
      <label htmlFor={id} className="text-muted text-xs">
        {label}
      </label>
      <input
        id={id}
        value={value}
        placeholder={hint}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
        className="h-8 w-full min-w-0 rounded-md border border-line-strong bg-surface px-2 placeholder:text-muted/70"
      />
    </div>
  );
}
