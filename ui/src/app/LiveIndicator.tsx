import { Dot } from "../components/Dot";
import type { Tone } from "../components/tone";
import { type LiveState, useLiveState } from "../live/stream";

const SHOWN: Record<LiveState, { tone: Tone; text: string }> = {
  connecting: { tone: "idle", text: "Connecting" },
  live: { tone: "good", text: "Live" },
  lost: { tone: "bad", text: "Connection lost" },
};

/** Whether what is shown is of now. */
export function LiveIndicator() {
  const { tone, text } = SHOWN[useLiveState()];
  return (
    <span role="status" className="flex min-w-0 items-center gap-2 px-2 text-muted text-xs max-sm:px-1">
      <Dot tone={tone} pulse={tone === "good"} />
      <span className="truncate">{text}</span>
    </span>
  );
}
