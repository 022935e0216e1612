// Where the bars of a waterfall lie.

import type { Tone } from "../components/tone";
import { type Attempt, type DocumentJob, spentOf } from "./model";

/** A part of a bar: from where to where, in shares of the whole width. */
export interface Bar {
  readonly key: string;
  readonly kind: "wait" | "run";
  readonly tone: Tone;
  readonly left: number;
  readonly width: number;
  readonly words: string;
}

/** The bars of one job between two times, in milliseconds. */
export function barsOf(
  job: DocumentJob,
  first: number,
  last: number,
  now: number,
  say: (milliseconds: number) => string,
): readonly Bar[] {
  const length = Math.max(1, last - first);
  const share = (time: number) => Math.min(1, Math.max(0, (time - first) / length));
  return job.attempts.flatMap((attempt): Bar[] => {
    const { waited, ran } = spentOf(attempt, now);
    const { number, queuedAt, startedAt } = attempt;
    const which = job.attempts.length > 1 ? `attempt ${number + 1} ` : "";
    const bars: Bar[] = [];
    if (queuedAt !== null && (waited > 0 || startedAt === null))
      bars.push({
        key: `${number} wait`,
        kind: "wait",
        tone: "idle",
        left: share(queuedAt),
        width: share(queuedAt + waited) - share(queuedAt),
        words: `${which}waited ${say(waited)}`,
      });
    if (startedAt !== null)
      bars.push({
        key: `${number} run`,
        kind: "run",
        tone: toneOf(attempt),
        left: share(startedAt),
        width: share(startedAt + ran) - share(startedAt),
        words:
          which + (attempt.outcome === null ? `runs for ${say(ran)}` : `ran ${say(ran)}, ${ended(attempt)}`),
      });
    return bars;
  });
}

function ended({ outcome, error }: Attempt): string {
  const word = outcome === "retried" ? "failed, to be tried again" : (outcome ?? "");
  return error === null ? word : `${word}: ${error}`;
}

const TONES: Readonly<Record<string, Tone>> = { completed: "good", failed: "bad", retried: "warn" };

/** What became of an attempt, as a colour. */
export function toneOf({ outcome }: Pick<Attempt, "outcome">): Tone {
  return outcome === null ? "note" : (TONES[outcome] ?? "idle");
}
