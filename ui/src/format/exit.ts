// Why a process ended, in words.

import type { Exit } from "../api/types";

const CAUSES: Readonly<Record<string, string>> = {
  oom_kill: "killed for want of memory",
  signal: "ended by a signal",
  exit: "ended with an error",
  unknown: "ended, nobody says why",
};

export function exitWords({
  cause,
  signal,
  exit_code,
}: Pick<Exit, "cause" | "signal" | "exit_code">): string {
  if (cause === "signal" && signal) return `ended by ${signal}`;
  if (cause === "exit" && exit_code != null) return `ended with code ${exit_code}`;
  return CAUSES[cause] ?? cause;
}
