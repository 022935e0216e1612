import { useQueries, useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import type { LogFacets } from "../api/types";
import { Button } from "../components/Button";
import { Dot } from "../components/Dot";
import { Loading } from "../components/Notices";
import { count } from "../format/format";
import { signOf, toggled, valuesOf, withoutField } from "../search/terms";
import { useTimeRange } from "../time/useTimeRange";
import { FIELD_LIMIT, FIELDS } from "./facetFields";
import { levelTone } from "./levels";
import { facetsQuery } from "./queries";

type FieldCounts = LogFacets["fields"][number];

interface Props {
  readonly q: string;
  /** Further fields than the usual ones. */
  readonly more: readonly string[];
  readonly onQuery: (q: string) => void;
  readonly onMore: (fields: readonly string[]) => void;
}

/** Lines counted by the values of fields. A value is added to the search, and taken from it again. */
export function Facets({ q, more, onQuery, onMore }: Props) {
  const range = useTimeRange();
  const fields = [...FIELDS, ...more.filter((field) => !(FIELDS as readonly string[]).includes(field))];
  const facets = useQuery(facetsQuery(q, range, fields));
  // A field that the search is narrowed by is counted without that: its other values are still to choose from.
  const narrowed = fields.filter((field) => valuesOf(q, field).length > 0);
  const whole = useQueries({
    queries: narrowed.map((field) => facetsQuery(withoutField(q, field), range, [field])),
  });
  if (!facets.data) return facets.error ? null : <Loading className="h-80" />;
  const counted = facets.data.fields.map((field) => {
    const place = narrowed.indexOf(field.field);
    return whole[place]?.data?.fields[0] ?? field;
  });
  const shown = counted.filter(({ distinct, field }) => distinct > 0 || more.includes(field));
  return (
    <div className="grid min-w-0 grid-cols-1 content-start gap-4">
      {shown.map((field) => (
        <Field
          key={field.field}
          field={field}
          q={q}
          onQuery={onQuery}
          onRemove={
            more.includes(field.field) ? () => onMore(more.filter((one) => one !== field.field)) : null
          }
        />
      ))}
      {more.length < FIELD_LIMIT && <AddField onAdd={(field) => onMore([...more, field])} />}
    </div>
  );
}

interface FieldProps {
  readonly field: FieldCounts;
  readonly q: string;
  readonly onQuery: (q: string) => void;
  readonly onRemove: (() => void) | null;
}

/** How many values of a field are shown at first. */
const FEW = 6;

function Field({ field: { field, values, distinct, exact }, q, onQuery, onRemove }: FieldProps) {
  const [isLong, lengthen] = useState(false);
  const most = Math.max(1, ...values.map(({ count }) => count));
  const shown = isLong ? values : values.slice(0, FEW);
  return (
    <section aria-label={`By ${field}`} className="min-w-0">
      <h3 className="flex items-center justify-between gap-2 pb-1 font-medium text-xs">
        <span className="wrap-anywhere">{field}</span>
        <span className="shrink-0 font-normal text-muted">
          {onRemove ? (
            <button type="button" onClick={onRemove} className="min-h-6 hover:text-ink">
              Remove
            </button>
          ) : (
            `${exact ? "" : "over "}${count(distinct)}`
          )}
        </span>
      </h3>
      {values.length === 0 && <p className="text-muted text-xs">No line has it</p>}
      <ul>
        {shown.map(({ value, count: amount }) => (
          <Value
            key={value ?? ""}
            field={field}
            value={value ?? null}
            amount={amount}
            share={amount / most}
            q={q}
            onQuery={onQuery}
          />
        ))}
      </ul>
      {values.length > FEW && (
        <button
          type="button"
          onClick={() => lengthen(!isLong)}
          className="min-h-6 text-muted text-xs hover:text-ink"
        >
          {isLong ? "Show fewer" : `Show ${values.length - FEW} more`}
        </button>
      )}
    </section>
  );
}

interface ValueProps {
  readonly field: string;
  readonly value: string | null;
  readonly amount: number;
  /** Of the most frequent value's lines. */
  readonly share: number;
  readonly q: string;
  readonly onQuery: (q: string) => void;
}

function Value({ field, value, amount, share, q, onQuery }: ValueProps) {
  const sign = signOf(q, field, value);
  const name = value === null ? "none" : value === "" ? "(empty)" : value;
  return (
    <li className="group relative flex min-h-[26px] items-center gap-1 rounded">
      <span
        aria-hidden="true"
        className="absolute inset-y-0.5 left-0 rounded-sm bg-line/70"
        style={{ width: `${share * 100}%` }}
      />
      <button
        type="button"
        aria-pressed={sign === "only"}
        aria-label={`Only ${field} ${name}`}
        title={name}
        onClick={() => onQuery(toggled(q, field, value, "only"))}
        className={`relative flex min-h-6 min-w-0 flex-1 items-center gap-1.5 rounded px-1.5 text-left text-xs aria-pressed:font-semibold aria-pressed:underline ${sign === "not" ? "line-through" : ""} ${value === null ? "text-muted" : ""}`}
      >
        {field === "level" && <Dot tone={levelTone(value)} />}
        <span className="min-w-0 truncate">{name}</span>
        <span className="ml-auto shrink-0 pl-1 font-normal tabular-nums">{count(amount)}</span>
      </button>
      <button
        type="button"
        aria-pressed={sign === "not"}
        aria-label={`Without ${field} ${name}`}
        onClick={() => onQuery(toggled(q, field, value, "not"))}
        className="relative grid size-6 shrink-0 place-items-center rounded text-muted hover:bg-line hover:text-ink aria-pressed:bg-ink aria-pressed:text-surface"
      >
        −
      </button>
    </li>
  );
}

function AddField({ onAdd }: { readonly onAdd: (field: string) => void }) {
  const id = useId();
  const [draft, write] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const field = draft.trim();
    if (field === "" || field.includes(",")) return;
    onAdd(field);
    write("");
  };
  return (
    <form onSubmit={submit} className="grid gap-1">
      <label htmlFor={id} className="text-muted text-xs">
        Count by another field
      </label>
      <div className="flex gap-1.5">
        <input
          id={id}
          value={draft}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          placeholder="any attribute"
          onChange={(event) => write(event.target.value)}
          className="h-8 min-w-0 flex-1 rounded-md border border-line-strong bg-surface px-2 font-mono text-xs placeholder:text-muted"
        />
        <Button type="submit">Count</Button>
      </div>
    </form>
  );
}
