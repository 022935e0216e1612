// How a job is told of.

import type { Job } from "../api/types";
import type { Tone } from "../components/tone";

const TONES: Record<string, Tone> = { pending: "idle", running: "note", completed: "good", failed: "bad" };

/** Where a job is in its life, or what is wrong with it there. */
export function jobState(job: Pick<Job, "status" | "judgement">): {
  readonly tone: Tone;
  readonly text: string;
} {
  if (job.judgement.verdict !== "fine")
    return { tone: "warn", text: job.judgement.verdict.replaceAll("_", " ") };
  return { tone: TONES[job.status] ?? "idle", text: job.status };
}

/** What a job does, or why it does not, in words. */
export function jobWords(
  job: Pick<Job, "judgement" | "status" | "error" | "stage" | "message" | "retry_count">,
): string {
  if (job.judgement.reason !== "") return job.judgement.reason;
  if (job.status === "failed" && job.error) return job.error.message ?? job.error.error_type ?? "failed";
  if (job.status === "running") return [job.stage, job.message].filter(Boolean).join(": ") || "–";
  return job.retry_count > 0 ? `tried ${job.retry_count + 1} times` : "–";
}
