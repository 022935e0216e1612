import { type ReactNode, useCallback, useState } from "react";
import type { LogRecord } from "../../api/types";
import { Button } from "../../components/Button";
import { Dot } from "../../components/Dot";
import type { Tone } from "../../components/tone";
import { count } from "../../format/format";
import { KEPT, type Picture } from "./feed";
import { TailList } from "./TailList";
import { type TailState, useTail } from "./useTail";

interface Props {
  readonly q: string;
  readonly details: (line: LogRecord) => ReactNode;
}

const STATES: Readonly<Record<TailState, { readonly tone: Tone; readonly text: string }>> = {
  connecting: { tone: "idle", text: "Connecting" },
  live: { tone: "good", text: "Live" },
  lost: { tone: "warn", text: "The connection was lost; it is tried again" },
  refused: {
    tone: "bad",
    text: "The server refuses: the search cannot be read, or too many tails are open. It is tried again",
  },
};

/** Lines as they come. Scrolling up holds them. */
export function TailLines({ q, details }: Props) {
  const { feed, picture, state } = useTail(q);
  const { entries, held } = picture;
  const { tone, text } = STATES[state];
  const [opened, open] = useState<LogRecord | null>(null);
  const toggle = useCallback(
    (line: LogRecord) => {
      feed.hold("button");
      open((now) => (now === line ? null : line));
    },
    [feed],
  );
  return (
    <>
      <div className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-3 py-1.5">
        <p role="status" className="inline-flex items-center gap-2 font-medium">
          <Dot tone={held ? "idle" : tone} pulse={state === "live" && held === null} />
          {held === null || state !== "live" ? text : "Paused"}
        </p>
        <Figures picture={picture} />
        <span className="ml-auto flex gap-2">
          <Button onClick={() => feed.clear()}>Clear</Button>
          {held === null ? (
            <Button onClick={() => feed.hold("button")}>Pause</Button>
          ) : (
            <Button
              primary
              onClick={() => {
                open(null);
                feed.follow();
              }}
            >
              {picture.waiting > 0 ? `Follow: ${count(picture.waiting)} new` : "Follow"}
            </Button>
          )}
        </span>
      </div>
      {entries.length === 0 ? (
        <p className="grid h-[65vh] place-items-center px-4 text-center text-muted">
          Lines show here as they come. What came before is under Lines.
        </p>
      ) : (
        <TailList
          entries={entries}
          isFollowing={held === null}
          opened={opened}
          onOpen={toggle}
          onLeave={() => feed.hold("scroll")}
          onReturn={() => {
            // Somebody who pressed the button, or who reads a line, wants it to stay held.
            if (held === "scroll") feed.follow();
          }}
        />
      )}
      {opened && <section aria-label="The opened line">{details(opened)}</section>}
    </>
  );
}

function Figures({ picture: { entries, rate, dropped, letGo } }: { readonly picture: Picture }) {
  return (
    <p className="text-muted text-xs tabular-nums">
      {count(rate)} lines/s, {count(entries.length)} here
      {letGo > 0 && `; ${count(letGo)} older ones let go, as ${count(KEPT)} are kept`}
      {dropped > 0 && (
        <span className="text-warn">; {count(dropped)} left out, as they came faster than read</span>
      )}
    </p>
  );
}
