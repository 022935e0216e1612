import { Link } from "@tanstack/react-router";
import { count } from "../../format/format";
import { moment } from "../../format/time";
import { between } from "../../time/range";
import { searchOf } from "../../time/search";
import { useZone } from "../../time/zone";
import type { JobsSearch } from "../address";
import type { Cell } from "./grid";

interface Props {
  readonly kind: string;
  readonly cell: Cell;
  /** The most that ended in a bucket of this kind, which fills one. */
  readonly most: number;
  readonly filters: JobsSearch;
  /** Whether the tab key leads to this one; arrow keys lead to the others. */
  readonly isEntry: boolean;
}

/** A bucket: what was completed, and above it what failed. It leads to its jobs. */
export function GridCell({ kind, cell, most, filters, isEntry }: Props) {
  const [zone] = useZone();
  const { start, end, completed, failed, retried } = cell;
  const time = (seconds: number) => moment(seconds * 1000, zone, "minute");
  const label =
    `${kind || "not said"}, ${time(start)} to ${time(end)}: ${count(completed)} completed, ${count(failed)} failed` +
    (retried > 0 ? `, ${count(retried)} attempts tried again` : "");
  // Something that is there is seen, however little it is.
  const share = (amount: number) => (amount === 0 || most === 0 ? 0 : Math.max(8, (amount / most) * 100));
  return (
    <Link
      to="/jobs"
      search={{ ...filters, ...(kind === "" ? {} : { kind }), ...searchOf(between(start, end)) }}
      aria-label={label}
      title={label}
      tabIndex={isEntry ? 0 : -1}
      data-cell=""
      className="flex h-7 min-w-6 flex-col justify-end overflow-hidden rounded-sm bg-raised hover:outline-2 hover:outline-ink"
    >
      <span className="block shrink-0 bg-bad" style={{ height: `${Math.min(100, share(failed))}%` }} />
      <span className="block min-h-0 bg-good/60" style={{ height: `${share(completed)}%` }} />
    </Link>
  );
}
