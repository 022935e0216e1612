// How a queue does, in a word and a sentence.

import type { Bottleneck, Queue, WorkerNow } from "../api/types";
import type { Tone } from "../components/tone";
import { brief, count, rate } from "../format/format";

export interface Health {
  readonly tone: Tone;
  readonly word: string;
  /** Why; empty when there is nothing to say. */
  readonly reason: string;
  /** The worse, the higher: what a table is sorted by. */
  readonly rank: number;
}

/** How much more has to come than goes for a queue to be said to grow. */
const MORE = 1.1;
/** How long the oldest has to have waited before growing is worth a word, in seconds. */
const A_WHILE = 60;

/** Why a queue needs somebody, the gravest reason first. */
export function healthOf(
  queue: Queue,
  workers: readonly Pick<WorkerNow, "queues" | "status">[],
  bottleneck: Bottleneck | null | undefined,
): Health {
  const pending = queue.depth.pending ?? 0;
  const dead = queue.depth.dead ?? 0;
  const oldest = queue.oldest_age_seconds.pending ?? 0;
  const takers = takersOf(queue.queue, workers);
  if (!queue.ok)
    return bad("not readable", "The collector cannot read it: what is shown is how it was last.", 6);
  if (pending > 0 && takers.known > 0 && takers.online === 0)
    return bad("nobody takes", `${count(pending)} wait, and none of its workers is online.`, 5);
  if (bottleneck?.queue === queue.queue) return warn("bottleneck", bottleneck.reason, 4);
  const [arrival, completion] = [queue.arrival_rate ?? 0, queue.completion_rate ?? 0];
  if (pending > 0 && oldest >= A_WHILE && arrival > completion * MORE)
    return warn(
      "grows",
      `${rate(arrival)} come and ${rate(completion)} go; the oldest waits ${brief(oldest)}.`,
      3,
    );
  if (dead > 0)
    return warn(
      "dead letters",
      `${count(dead)} tasks were given up: look at them, and remove or queue them again.`,
      2,
    );
  if (pending + (queue.depth.processing ?? 0) === 0)
    return { tone: "idle", word: "idle", reason: "Nothing waits and nothing is in work.", rank: 0 };
  return { tone: "good", word: "fine", reason: "", rank: 1 };
}

/** How many workers say that they take from a queue, and how many of them are there. */
export function takersOf(
  queue: string,
  workers: readonly Pick<WorkerNow, "queues" | "status">[],
): { readonly known: number; readonly online: number } {
  const takers = workers.filter(({ queues, status }) => status !== "stopped" && queues.includes(queue));
  return { known: takers.length, online: takers.filter(({ status }) => status === "online").length };
}

/** How long the oldest task has waited; nothing when none waits. */
export function waited(queue: Queue): number | undefined {
  return (queue.depth.pending ?? 0) > 0 ? queue.oldest_age_seconds.pending : undefined;
}

function bad(word: string, reason: string, rank: number): Health {
  return { tone: "bad", word, reason, rank };
}

function warn(word: string, reason: string, rank: number): Health {
  return { tone: "warn", word, reason, rank };
}
