import {
  type FormEvent,
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { ApiError } from "../api/client";
import type { Fault, SearchHint } from "../api/types";
import { Button } from "../components/Button";
import { partedAt } from "./fault";

interface Props {
  readonly label: string;
  /** The search that is asked for. */
  readonly query: string;
  readonly onRun: (query: string) => void;
  /** Why it failed, if it did. */
  readonly error: Error | null;
  readonly hints?: readonly SearchHint[] | undefined;
  readonly placeholder: string;
  /** What stands beside the button. */
  readonly children?: ReactNode;
}

/** Whether a search failed as it cannot be read, which the form shows. */
export function isFault(error: Error | null): boolean {
  return error instanceof ApiError && error.fault !== null;
}

/** Where a search is written. What is wrong with it is shown at its place. */
export function SearchForm({ label, query, onRun, error, hints = [], placeholder, children }: Props) {
  const [draft, setDraft] = useState(query);
  // The address changes by facets, by links and by going back, too.
  useEffect(() => setDraft(query), [query]);
  const id = useId();
  const input = useRef<HTMLTextAreaElement>(null);
  const fault = error instanceof ApiError ? error.fault : null;
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    onRun(draft.trim());
  };
  const press = (event: KeyboardEvent) => {
    // While an input method composes a character, Enter ends that.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    submit(event);
  };
  const goTo = (fault: Fault) => {
    const [before, place] = partedAt(query, fault.start, fault.end);
    setDraft(query);
    input.current?.focus();
    requestAnimationFrame(() =>
      input.current?.setSelectionRange(before.length, before.length + place.length),
    );
  };
  return (
    <form onSubmit={submit} className="grid min-w-0 gap-1.5">
      <label htmlFor={id} className="sr-only">
        {label}
      </label>
      <div className="flex items-start gap-2 max-sm:flex-col max-sm:items-stretch">
        <textarea
          ref={input}
          id={id}
          value={draft}
          rows={Math.min(6, draft.split("\n").length)}
          placeholder={placeholder}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          aria-invalid={fault !== null}
          aria-describedby={fault ? `${id}-fault` : undefined}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={press}
          className="min-h-9 min-w-0 flex-1 resize-y rounded-md border border-line-strong bg-surface px-3 py-2 font-mono text-[13px] leading-5 placeholder:font-sans placeholder:text-muted aria-invalid:border-bad"
        />
        <div className="flex gap-2">
          <Button type="submit" primary className="h-9">
            Search
          </Button>
          {children}
        </div>
      </div>
      {fault && <FaultNote id={`${id}-fault`} query={query} fault={fault} onGo={() => goTo(fault)} />}
      {!error && hints.length > 0 && (
        <ul aria-label="Notes on the search" className="grid gap-0.5 text-muted text-xs">
          {hints.map(({ start, message }) => (
            <li key={`${start} ${message}`} className="wrap-anywhere">
              {message}
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}

interface FaultProps {
  readonly id: string;
  readonly query: string;
  readonly fault: Fault;
  readonly onGo: () => void;
}

function FaultNote({ id, query, fault, onGo }: FaultProps) {
  const [before, place, after] = partedAt(query, fault.start, fault.end);
  return (
    <div id={id} role="alert" className="grid gap-1 rounded-lg bg-bad-soft px-3 py-2 text-[13px]">
      <p className="whitespace-pre-wrap wrap-anywhere font-mono text-ink">
        {before}
        <mark className="rounded-sm bg-transparent text-bad underline decoration-2 decoration-wavy underline-offset-4">
          {place}
        </mark>
        {after}
      </p>
      <p className="wrap-anywhere text-bad">
        {fault.message}
        {fault.expected ? `; expected ${fault.expected}` : ""}
        {fault.suggestion ? `; ${fault.suggestion}` : ""}{" "}
        <button type="button" onClick={onGo} className="underline underline-offset-2">
          Go there
        </button>
      </p>
    </div>
  );
}
