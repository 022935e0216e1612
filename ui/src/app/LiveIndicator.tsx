import { Dot } from "../components/Dot";
import { useNow } from "../components/now";
import type { Tone } from "../components/tone";
import { brief } from "../format/format";
import { type LiveState, lastHeard, useLiveState } from "../live/stream";

const SHOWN: Record<LiveState, { tone: Tone; text: string }> = {
  connecting: { tone: "idle", text: "Connecting" },
  live: { tone: "good", text: "Live" },
  lost: { tone: "bad", text: "Connection lost" },
};

/** Whether what is shown is of now, and else how old it is. */
export function LiveIndicator() {
  const state = useLiveState();
  const { tone, text } = SHOWN[state];
  return (
    <span role="status" className="flex min-w-0 items-center gap-2 px-2 text-muted text-xs max-sm:px-1">
      <Dot tone={tone} pulse={tone === "good"} />
      <span className="truncate">
        {text}
        {state === "lost" && <Age />}
      </span>
    </span>
  );
}

function Age() {
  const now = useNow();
  const heard = lastHeard();
  // It counts on each second, which nobody wants read out.
  return heard === null ? null : (
    <span aria-hidden="true">, this is {brief(Math.max(0, (now - heard) / 1000))} old</span>
  );
}
