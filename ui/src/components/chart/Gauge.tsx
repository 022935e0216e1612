import { TONE_TEXT, type Tone } from "../tone";
import { arcPath } from "./spark";

interface Props {
  readonly label: string;
  /** The share of what there is, 0 to 1; null where it is not known. */
  readonly share: number | null;
  /** The value in words. */
  readonly value: string;
  /** A few words below: of how much. */
  readonly more?: string;
  /** From which share on it is a warning, and from which it is bad: none when it is left out. */
  readonly limits?: readonly [number, number];
}

/** How much of something is in use, as the part of an arc. */
export function Gauge({ label, share, value, more, limits }: Props) {
  const tone = gaugeTone(share, limits);
  return (
    <div className="grid min-w-0 justify-items-center gap-0.5 text-center">
      <div
        role="img"
        aria-label={`${label}: ${value}${more === undefined ? "" : `, ${more}`}`}
        className="relative"
      >
        <svg aria-hidden="true" viewBox="0 0 88 48" className="h-12 w-22" fill="none" strokeLinecap="round">
          <path d={arcPath(1, 39, [44, 43])} strokeWidth="6" stroke="var(--line)" />
          {share !== null && share > 0.005 && (
            <path
              d={arcPath(share, 39, [44, 43])}
              strokeWidth="6"
              stroke="currentColor"
              className={tone === null ? "text-ink" : TONE_TEXT[tone]}
            />
          )}
        </svg>
        <p className="absolute inset-x-0 bottom-0 font-semibold text-[15px] tabular-nums leading-none tracking-tight">
          {value}
        </p>
      </div>
      <p className="max-w-full truncate text-xs">{label}</p>
      {more !== undefined && <p className="max-w-full truncate text-muted text-xs tabular-nums">{more}</p>}
    </div>
  );
}

/** Whether a share is in a state that somebody should know of. */
export function gaugeTone(share: number | null, limits: readonly [number, number] | undefined): Tone | null {
  if (share === null || !limits) return null;
  if (share >= limits[1]) return "bad";
  return share >= limits[0] ? "warn" : null;
}
