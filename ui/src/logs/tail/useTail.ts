// A live tail, as long as it is shown.

import { useEffect, useState, useSyncExternalStore } from "react";
import type { LogRecord } from "../../api/types";
import { Feed, type Picture } from "./feed";

/** How it does: it connects, it is there, it was lost and connects again, or the server said no. */
export type TailState = "connecting" | "live" | "lost" | "refused";

/** How long a tail that was refused is left alone. */
const AGAIN_AFTER = 5_000;

export function useTail(q: string): { feed: Feed; picture: Picture; state: TailState } {
  const feed = useFeed(q);
  const [state, become] = useState<TailState>("connecting");
  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const open = () => {
      source = new EventSource(`/api/v1/logs/tail?${new URLSearchParams({ q })}`);
      source.addEventListener("record", ({ data }: MessageEvent<string>) => {
        const line = read<LogRecord>(data);
        if (line) feed.line(line);
      });
      source.addEventListener("dropped", ({ data }: MessageEvent<string>) => {
        feed.gap(read<{ count: number }>(data)?.count ?? 0);
      });
      source.onopen = () => become("live");
      source.onerror = () => {
        const isOver = source?.readyState === EventSource.CLOSED;
        become(isOver ? "refused" : "lost");
        feed.cut();
        // The browser connects again by itself after a cut; it gives up when it is told no.
        if (isOver) timer = setTimeout(open, AGAIN_AFTER);
      };
    };
    become("connecting");
    open();
    const clock = setInterval(() => feed.tick(), 1_000);
    return () => {
      clearTimeout(timer);
      clearInterval(clock);
      source?.close();
      feed.end();
    };
  }, [q, feed]);
  const picture = useSyncExternalStore(feed.subscribe, feed.picture);
  return { feed, picture, state };
}

/** A feed for each search. */
function useFeed(q: string): Feed {
  const [made, make] = useState(() => ({ q, feed: new Feed() }));
  if (made.q === q) return made.feed;
  const next = { q, feed: new Feed() };
  make(next);
  return next.feed;
}

function read<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}
