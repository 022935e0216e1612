import { PathLink } from "../components/PathLink";
import type { Labels } from "../metrics/answer";
import { placeOf } from "./places";

interface Props {
  readonly labels: Labels;
  /** Those that are told elsewhere. */
  readonly hidden?: readonly string[];
}

const CHIP =
  "max-w-full truncate rounded border border-line bg-raised px-1.5 py-0.5 font-mono text-xs leading-4";

/** Labels, of which those that name a queue, a worker, a job and the like lead to its page. */
export function LabelList({ labels, hidden = [] }: Props) {
  const shown = Object.entries(labels).filter(([name]) => !hidden.includes(name));
  if (shown.length === 0) return null;
  return (
    <ul aria-label="Labels" className="flex flex-wrap gap-1.5">
      {shown.map(([name, value]) => {
        const place = placeOf(name, value, labels);
        return (
          <li key={name} className="flex max-w-full" title={`${name}="${value}"`}>
            {place === null ? (
              <span className={`${CHIP} text-muted`}>
                {name}={value}
              </span>
            ) : (
              <PathLink href={place} className={`${CHIP} hover:border-line-strong`}>
                <span className="text-muted">{name}=</span>
                <span className="underline underline-offset-2">{value}</span>
              </PathLink>
            )}
          </li>
        );
      })}
    </ul>
  );
}
