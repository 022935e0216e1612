// The processes that a worker was, one after another, and how each of them ended.

import type { Exit, Worker } from "../api/types";
import type { Mark } from "../components/chart/marks";
import type { Tone } from "../components/tone";
import { exitWords } from "../format/exit";

/** One process of a worker in a range of time, as its heartbeats tell of it. */
export interface Process {
  readonly startedAt: string | null;
  readonly host: string | null;
  readonly pid: number | null;
  readonly version: string | null;
  readonly firstAt: string | null;
  readonly lastAt: string | null;
  /** When it said that it stopped. */
  readonly stoppedAt: string | null;
  readonly reason: string | null;
  readonly exitCode: number | null;
  readonly memoryMax: number | null;
  /** As its last heartbeat told. */
  readonly memoryLast: number | null;
  readonly jobId: string | null;
}

export interface Ending {
  readonly tone: Tone;
  readonly text: string;
}

/** How a process ended, or that it has not. */
export function endingOf(
  process: Process,
  worker: Pick<Worker, "pid" | "host" | "status" | "started_at">,
  exits: readonly Exit[],
): Ending {
  const exit = exits.find((exit) => isOf(exit, process));
  if (exit) return { tone: "bad", text: exitWords(exit) };
  if (process.stoppedAt !== null) {
    const code = process.exitCode ?? 0;
    const why = process.reason === null ? "" : `: ${process.reason}`;
    return code === 0
      ? { tone: "idle", text: `stopped${why}` }
      : { tone: "bad", text: `stopped with code ${code}${why}` };
  }
  const isLast = process.pid === (worker.pid ?? null) && process.startedAt === worker.started_at;
  if (isLast && worker.status === "online") return { tone: "good", text: "runs" };
  if (isLast) return { tone: "warn", text: `${worker.status}: heard of no more` };
  return { tone: "warn", text: "gone without a word" };
}

/** Whether an exit is that of a process. Ids of processes are used again: it must have been heard of just before. */
export function isOf(exit: Exit, { host, pid, firstAt, lastAt }: Process): boolean {
  if (pid === null || exit.pid !== pid || (host !== null && exit.host != null && exit.host !== host))
    return false;
  const time = Date.parse(exit.time);
  return time >= Date.parse(firstAt ?? "") && time <= Date.parse(lastAt ?? "") + LONGEST_SILENCE;
}

/** The longest time between a last heartbeat and the end, in milliseconds. */
const LONGEST_SILENCE = 10 * 60_000;

/** The exits of a worker: those that name it, and those of its processes. */
export function exitsOf(id: string, processes: readonly Process[], exits: readonly Exit[]): readonly Exit[] {
  return exits.filter((exit) => exit.worker_id === id || processes.some((process) => isOf(exit, process)));
}

/** Beginnings and bad ends, as marks of a chart. */
export function marksOf(processes: readonly Process[], exits: readonly Exit[]): readonly Mark[] {
  // The oldest began before the range, or is the first that there was: no restart.
  const starts = processes.slice(0, -1).flatMap(({ startedAt, pid }): Mark[] => {
    const time = Date.parse(startedAt ?? "") / 1000;
    return Number.isFinite(time)
      ? [{ kind: "event", time, tone: "note", name: `began again as ${pid ?? "?"}` }]
      : [];
  });
  const ends = exits.map(
    (exit): Mark => ({
      kind: "event",
      time: Date.parse(exit.time) / 1000,
      tone: "bad",
      name: exitWords(exit),
    }),
  );
  return [...starts, ...ends];
}
