import { expect, it } from "vitest";
import type { Exit } from "../api/types";
import { endingOf, exitsOf, marksOf, type Process } from "./processes";

const process = (more: Partial<Process>): Process => ({
  startedAt: "2026-12-01T10:00:00Z",
  host: "vm",
  pid: 7,
  version: null,
  firstAt: "2026-12-01T10:00:00Z",
  lastAt: "2026-12-01T11:00:00Z",
  stoppedAt: null,
  reason: null,
  exitCode: null,
  memoryMax: null,
  memoryLast: null,
  jobId: null,
  ...more,
});
const exit = (more: Partial<Exit>) =>
  ({ cause: "oom_kill", pid: 7, host: "vm", time: "2026-12-01T11:00:20Z", ...more }) as Exit;
const worker = { pid: 8, host: "vm", status: "online", started_at: "2026-12-01T11:01:00Z" } as const;
const now = process({ pid: 8, startedAt: "2026-12-01T11:01:00Z", firstAt: "2026-12-01T11:01:00Z" });

it("says how each process ended, by what was seen of it before what it said itself", () => {
  const text = (one: Process, exits: Exit[] = []) => endingOf(one, worker, exits).text;
  expect(text(process({ stoppedAt: "2026-12-01T11:00:10Z" }), [exit({})])).toBe("killed for want of memory");
  expect(text(process({ stoppedAt: "2026-12-01T11:00:10Z", reason: "deploy" }))).toBe("stopped: deploy");
  expect(text(process({ stoppedAt: "2026-12-01T11:00:10Z", exitCode: 3 }))).toBe("stopped with code 3");
  expect(text(process({}))).toBe("gone without a word");
  expect(text(now)).toBe("runs");
  expect(endingOf(now, { ...worker, status: "offline" }, []).tone).toBe("warn");
});

it("takes an exit for a process's only by its host and at its time", () => {
  const exits = [
    exit({ event_id: "its" }),
    exit({ event_id: "elsewhere", host: "other" }),
    exit({ event_id: "later", time: "2026-12-01T15:00:00Z" }),
    exit({ event_id: "named", pid: 99, worker_id: "w" }),
  ];
  expect(exitsOf("w", [process({})], exits).map(({ event_id }) => event_id)).toEqual(["its", "named"]);
});

it("marks restarts and ends, and not that it began", () => {
  expect(marksOf([now, process({})], [exit({})]).map(({ name }) => name)).toEqual([
    "began again as 8",
    "killed for want of memory",
  ]);
});
