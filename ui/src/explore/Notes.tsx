import { Badge } from "../components/Badge";
import type { Annotations } from "../metrics/answer";

/** Warnings and infos: what a query wants to say beside its result. */
export function Notes({ annotations: { warnings = [], infos = [] } }: { readonly annotations: Annotations }) {
  if (warnings.length + infos.length === 0) return null;
  return (
    <ul aria-label="Notes of the query" className="grid gap-1.5">
      {warnings.map((text) => (
        <Note key={text} tone="warn" name="warning" text={text} />
      ))}
      {infos.map((text) => (
        <Note key={text} tone="note" name="info" text={text} />
      ))}
    </ul>
  );
}

interface Props {
  readonly tone: "warn" | "note";
  readonly name: string;
  readonly text: string;
}

function Note({ tone, name, text }: Props) {
  return (
    <li className="flex items-baseline gap-2">
      <Badge tone={tone}>{name}</Badge>
      <span className="min-w-0 wrap-anywhere">{text}</span>
    </li>
  );
}
