import { type FormEvent, type KeyboardEvent, useEffect, useId, useState } from "react";
import { Button } from "../components/Button";

interface Props {
  /** The expression that is asked for. */
  readonly expr: string;
  readonly onRun: (expr: string) => void;
}

/** The most lines that are in sight at once. */
const MAX_LINES = 10;

/** Where an expression is written. It is asked for when it is run, and not while somebody types. */
export function ExpressionForm({ expr, onRun }: Props) {
  const [draft, setDraft] = useState(expr);
  // The address changes by links and by going back, too.
  useEffect(() => setDraft(expr), [expr]);
  const id = useId();
  const run = () => onRun(draft.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    run();
  };
  const press = (event: KeyboardEvent) => {
    // While an input method composes a character, Enter ends that.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    run();
  };
  return (
    <form onSubmit={submit} className="grid gap-1.5">
      <label htmlFor={id} className="font-medium text-[13px]">
        PromQL expression
      </label>
      <div className="flex items-start gap-2 max-sm:flex-col max-sm:items-stretch">
        <textarea
          id={id}
          aria-describedby={`${id}-keys`}
          value={draft}
          rows={Math.min(MAX_LINES, draft.split("\n").length)}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={press}
          className="min-h-9 min-w-0 flex-1 resize-y rounded-md border border-line-strong bg-surface px-3 py-2 font-mono text-[13px] leading-5"
        />
        <Button type="submit" primary className="h-9">
          Run
        </Button>
      </div>
      <p id={`${id}-keys`} className="text-muted text-xs">
        Enter runs it, Shift+Enter begins a new line.
      </p>
    </form>
  );
}
