import { type FormEvent, useId } from "react";
import { Button } from "../../components/Button";
import { Choice } from "../../components/Choice";
import { count } from "../../format/format";
import { durationSeconds } from "../../time/range";
import { STATE_NAMES } from "../address";
import { ACTIONS, offered, type Selection, type Which } from "./selection";

interface Props {
  readonly selection: Selection;
  readonly isBusy: boolean;
  readonly onChange: (selection: Selection) => void;
  readonly onSubmit: () => void;
}

/** What is to be done, with which tasks. */
export function SelectionForm({ selection, isBusy, onChange, onSubmit }: Props) {
  const { action, state, which, ids, olderThan } = selection;
  const isRight = which !== "older" || durationSeconds(olderThan.trim()) !== null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isRight) onSubmit();
  };
  const names: Readonly<Record<Which, string>> = {
    chosen: `The ${count(ids.length)} that are chosen`,
    no_owner: "Those that no worker has any more",
    older: "Those that have been there for longer than",
    all: "All of them",
  };
  return (
    <form onSubmit={submit} className="grid gap-4">
      <Choice
        label="What is to be done"
        value={action}
        options={(["requeue", "remove"] as const).map((value) => {
          const text = ACTIONS[value].name;
          return { value, text, short: text };
        })}
        onChange={(next) => onChange({ ...selection, action: next })}
      />
      <p className="text-muted">
        {action === "requeue"
          ? "They wait again, and are taken next."
          : "They are gone from the queue then: nothing keeps what they held."}
      </p>
      <fieldset className="grid gap-2">
        <legend className="pb-2 font-medium">
          Which of the tasks that are {STATE_NAMES[state].toLowerCase()}
        </legend>
        {offered(state, ids.length).map((value) => (
          <div key={value} className="flex flex-wrap items-center gap-2">
            <label className="flex min-h-6 items-center gap-2">
              <input
                type="radio"
                name="which"
                checked={which === value}
                onChange={() => onChange({ ...selection, which: value })}
                className="size-4 accent-ink"
              />
              {names[value]}
            </label>
            {value === "older" && (
              <Duration
                value={olderThan}
                isWrong={!isRight}
                onChange={(text) => onChange({ ...selection, which: "older", olderThan: text })}
              />
            )}
          </div>
        ))}
      </fieldset>
      <Button type="submit" primary disabled={isBusy || !isRight} className="justify-self-start">
        Show what would be done
      </Button>
    </form>
  );
}

interface DurationProps {
  readonly value: string;
  readonly isWrong: boolean;
  readonly onChange: (text: string) => void;
}

function Duration({ value, isWrong, onChange }: DurationProps) {
  const id = useId();
  return (
    <span className="flex items-center gap-2">
      <input
        aria-label="How long"
        aria-invalid={isWrong}
        aria-describedby={isWrong ? id : undefined}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="h-8 w-20 rounded-md border border-line-strong bg-surface px-2 aria-invalid:border-bad"
      />
      {isWrong && (
        <span id={id} className="text-bad text-xs">
          like 30s, 10m or 2h
        </span>
      )}
    </span>
  );
}
