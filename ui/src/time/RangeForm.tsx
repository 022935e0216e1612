import { type FormEvent, useId, useState } from "react";
import { Button } from "../components/Button";
import { wholeMoment } from "../format/time";
import { momentOf, spanOf, type TimeRange } from "./range";
import type { Zone } from "./zone";

interface Props {
  readonly range: TimeRange;
  readonly zone: Zone;
  readonly onChoose: (range: TimeRange) => void;
}

/** The two ends of a range, as somebody writes them. */
export function RangeForm({ range, zone, onChoose }: Props) {
  const [from, setFrom] = useState(() => written(range.from, zone));
  const [to, setTo] = useState(() => written(range.to, zone));
  const [fault, setFault] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const chosen = { from: read(from, zone), to: read(to, zone) };
    const now = Date.now();
    if (momentOf(chosen.from, now) === null) return setFault(`“${from}” is no time.`);
    if (momentOf(chosen.to, now) === null) return setFault(`“${to}” is no time.`);
    if (spanOf(chosen, now) === null)
      return setFault("It has to begin at least 10 seconds before it ends, and five years at the most.");
    onChoose(chosen);
  };
  return (
    <form onSubmit={submit} className="grid min-w-0 flex-1 content-start gap-2.5">
      <Field label="From" value={from} onChange={setFrom} />
      <Field label="To" value={to} onChange={setTo} />
      {fault !== null && (
        <p role="alert" className="text-bad text-xs">
          {fault}
        </p>
      )}
      <p className="text-muted text-xs">
        <code>now-6h</code>, <code>now-1d12h</code>, <code>now</code>, or a time such as{" "}
        <code>2026-01-31 14:00</code>.
      </p>
      <Button type="submit" primary>
        Show this range
      </Button>
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Field({ label, value, onChange }: FieldProps) {
  const id = useId();
  return (
    <div className="grid gap-1">
      <label htmlFor={id} className="text-muted text-xs">
        {label}
      </label>
      <input
        id={id}
        value={value}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
        className="h-8 rounded-md border border-line-strong bg-surface px-2 font-mono text-[13px]"
      />
    </div>
  );
}

/** An end as it is written: what is relative stays as it is. */
function written(end: string, zone: Zone): string {
  return end.startsWith("now") ? end : wholeMoment(Date.parse(end), zone).slice(0, 19);
}

const WRITTEN = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2})?$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** What was written, as an address holds it. */
function read(text: string, zone: Zone): string {
  const trimmed = text.trim();
  const whole = DAY.test(trimmed) ? `${trimmed} 00:00` : trimmed;
  const parts = WRITTEN.exec(whole);
  if (!parts) return trimmed;
  const time = Date.parse(`${parts[1]}T${parts[2]}${parts[3] ?? ":00"}${zone === "utc" ? "Z" : ""}`);
  return Number.isFinite(time) ? new Date(time).toISOString().replace(".000Z", "Z") : trimmed;
}
