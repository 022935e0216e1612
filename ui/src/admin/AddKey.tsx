import { type FormEvent, useRef, useState } from "react";
import type { NewApiKey } from "../api/types";
import { Button } from "../components/Button";
import { Field, Pick } from "../components/Field";
import { Panel } from "../components/Panel";
import { useAddKey } from "./queries";

const SCOPES = [
  { value: "ingest", text: "ingest: send events, metrics, logs and traces" },
  { value: "read", text: "read: ask for all that is stored" },
  { value: "operate", text: "operate: acknowledge, resolve, retry" },
  { value: "admin", text: "admin: users, keys and audit" },
] as const;

const DAY = 86_400_000;
const ENDS = [
  { value: "30", text: "in 30 days" },
  { value: "90", text: "in 90 days" },
  { value: "365", text: "in a year" },
  { value: "", text: "never" },
] as const;
type Ends = (typeof ENDS)[number]["value"];

/** Makes a key, and shows it the one time that it can be shown. */
export function AddKey() {
  const form = useRef<HTMLFormElement>(null);
  const [ends, choose] = useState<Ends>("365");
  const [fault, tell] = useState("");
  const add = useAddKey();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const scopes = data.getAll("scope").map(String);
    tell(scopes.length === 0 ? "Choose what the key may do." : "");
    if (scopes.length === 0) return;
    const until = ends === "" ? {} : { expires_at: new Date(Date.now() + Number(ends) * DAY).toISOString() };
    add.mutate(
      { name: String(data.get("name")), scopes, ...until },
      { onSuccess: () => form.current?.reset() },
    );
  };
  const error = fault || add.error?.message;
  return (
    <Panel title="Make a key">
      <form ref={form} onSubmit={submit} className="grid gap-3 px-4 pt-1 pb-4">
        <div className="flex flex-wrap items-start gap-3">
          <Field label="What it is for" name="name" autoComplete="off" required className="min-w-56" />
          <Pick label="It ends" value={ends} options={ENDS} onChange={choose} />
        </div>
        <fieldset className="grid gap-1">
          <legend className="pb-1 text-muted text-xs">What it may do</legend>
          {SCOPES.map(({ value, text }) => (
            <label key={value} className="flex min-h-6 items-center gap-2">
              <input
                type="checkbox"
                name="scope"
                value={value}
                defaultChecked={value === "ingest"}
                className="size-4 accent-ink"
              />
              {text}
            </label>
          ))}
        </fieldset>
        {error && (
          <p role="alert" className="text-bad">
            {error}
          </p>
        )}
        <div>
          <Button type="submit" primary disabled={add.isPending}>
            Make key
          </Button>
        </div>
      </form>
      {add.data && <Secret apiKey={add.data} onDone={() => add.reset()} />}
    </Panel>
  );
}

/** A key that was just made. */
function Secret({ apiKey, onDone }: { readonly apiKey: NewApiKey; readonly onDone: () => void }) {
  const [isCopied, setCopied] = useState<boolean | null>(null);
  const text = useRef<HTMLElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(apiKey.secret);
      setCopied(true);
    } catch {
      // Without HTTPS browsers refuse: then it is marked, to be copied by hand.
      const selection = getSelection();
      if (text.current && selection) selection.selectAllChildren(text.current);
      setCopied(false);
    }
  };
  return (
    <section
      aria-label="The new key"
      className="mx-4 mb-4 grid gap-2 rounded-lg border border-line bg-good-soft px-4 py-3"
    >
      <p className="wrap-anywhere font-medium text-good">
        The key {apiKey.name} is made. It is shown this once: copy it now.
      </p>
      <div className="flex flex-wrap items-center gap-3">
        <code ref={text} className="wrap-anywhere rounded bg-surface px-2 py-1">
          {apiKey.secret}
        </code>
        <Button onClick={() => void copy()}>Copy</Button>
        <Button onClick={onDone}>Done, hide it</Button>
        <span role="status">
          {isCopied === true && "Copied."}
          {isCopied === false && "It is marked: copy it with Ctrl C."}
        </span>
      </div>
    </section>
  );
}
