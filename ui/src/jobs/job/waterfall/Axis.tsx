import type { ReactNode } from "react";
import { seconds } from "../../../format/format";
import { moment } from "../../../format/time";
import { useZone } from "../../../time/zone";
import type { Scale } from "../scale";

/** The columns of a row: what it is, its place in time, and its figures. On a phone time has a line of its own. */
export const COLUMNS =
  "grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 lg:grid-cols-[12rem_minmax(0,1fr)_13rem]";
/** Where in it the time stands. */
export const TRACK = "max-lg:order-last max-lg:col-span-full";

/** Times after the first. */
export function Axis({ scale }: { readonly scale: Scale }) {
  const [zone] = useZone();
  return (
    <div className={`${COLUMNS} sticky top-0 z-1 bg-surface text-muted text-xs`}>
      <span className="truncate">from {moment(scale.start, zone)}</span>
      <div className={`relative h-6 ${TRACK}`}>
        {scale.ticks.map(({ at, elapsed }) => (
          <span
            key={elapsed}
            style={{ left: percent(at) }}
            className={`absolute top-1 whitespace-nowrap tabular-nums ${at > 0.02 ? "-translate-x-1/2" : ""}`}
          >
            {elapsed === 0 ? "0" : seconds(elapsed)}
          </span>
        ))}
      </div>
      <span />
    </div>
  );
}

interface TrackProps {
  readonly scale: Scale;
  readonly className?: string;
  readonly children: ReactNode;
}

/** The part of a row that is time, with the lines of the axis. */
export function Track({ scale, className = "h-5", children }: TrackProps) {
  return (
    <span className={`relative block overflow-hidden ${TRACK} ${className}`}>
      {scale.ticks.map(({ at, elapsed }) => (
        <span
          key={elapsed}
          style={{ left: percent(at) }}
          className="-top-2 -bottom-2 absolute w-px bg-line"
        />
      ))}
      {children}
    </span>
  );
}

/** A share of 0 to 1 as CSS has it. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(3)}%`;
}
