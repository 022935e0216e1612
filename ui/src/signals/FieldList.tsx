import { signOf } from "../search/terms";
import type { Field } from "./fields";

interface Props {
  readonly label: string;
  readonly fields: readonly Field[];
  /** The search that is shown, and how a value is added to it or taken from it; no buttons without. */
  readonly query?: string;
  readonly onToggle?: (field: string, value: string, sign: "only" | "not") => void;
}

const BUTTON =
  "grid size-6 shrink-0 place-items-center rounded text-muted hover:bg-line hover:text-ink aria-pressed:bg-ink aria-pressed:text-surface";

/** Fields and their values; each can be searched for. */
export function FieldList({ label, fields, query = "", onToggle }: Props) {
  if (fields.length === 0) return null;
  return (
    <dl aria-label={label} className="grid min-w-0">
      {fields.map(({ name, value, search }) => (
        <div
          key={name}
          className="grid min-w-0 grid-cols-[minmax(0,11rem)_minmax(0,1fr)_auto] items-start gap-x-3 border-line border-t py-0.5 first:border-t-0 max-sm:grid-cols-[minmax(0,1fr)_auto]"
        >
          <dt className="wrap-anywhere py-0.5 text-muted text-xs max-sm:col-span-2">{name}</dt>
          <dd className="whitespace-pre-wrap wrap-anywhere py-0.5 font-mono text-xs">{value}</dd>
          {onToggle && search !== null ? (
            <dd className="flex gap-0.5">
              <button
                type="button"
                aria-label={`Only ${name} ${value.slice(0, 80)}`}
                aria-pressed={signOf(query, search, value) === "only"}
                onClick={() => onToggle(search, value, "only")}
                className={BUTTON}
              >
                +
              </button>
              <button
                type="button"
                aria-label={`Without ${name} ${value.slice(0, 80)}`}
                aria-pressed={signOf(query, search, value) === "not"}
                onClick={() => onToggle(search, value, "not")}
                className={BUTTON}
              >
                −
              </button>
            </dd>
          ) : (
            <dd />
          )}
        </div>
      ))}
    </dl>
  );
}
