// What a worker's state means.

import type { Tone } from "../components/tone";

export const STATUSES = ["online", "stale", "offline", "stopped"] as const;
export type Status = (typeof STATUSES)[number];

const TONES: Readonly<Record<string, Tone>> = { online: "good", stale: "warn", offline: "bad" };

export function toneOfWorker(status: string): Tone {
  return TONES[status] ?? "idle";
}
