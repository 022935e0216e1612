// The live stream, written into the cache of queries, so that views need not know of it.

import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { sessionQuery } from "../api/session";
import type { Overview } from "../api/types";
import { overviewQuery } from "../overview/queries";
import { PARTS, type Part, withPart } from "./parts";

/** How the stream does: it connects, it is there, or it was lost and connects again. */
export type LiveState = "connecting" | "live" | "lost";

let state: LiveState = "connecting";
const listeners = new Set<() => void>();

function become(next: LiveState): void {
  if (state === next) return;
  state = next;
  for (const listener of listeners) listener();
}

let heardAt: number | null = null;

/** When the stream brought something last, in milliseconds since the epoch. */
export function lastHeard(): number | null {
  return heardAt;
}

/** How the stream does, for the indicator in the header. */
export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** How long the stream is left closed after the browser gave it up. */
const AGAIN_AFTER = 5_000;

/** Keeps the cache of queries live while it is mounted. */
export function useLiveStream(): void {
  const client = useQueryClient();
  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const open = () => {
      source = new EventSource("/api/v1/live");
      for (const part of PARTS) {
        source.addEventListener(part, (event: MessageEvent<string>) => take(client, part, event.data));
      }
      source.onopen = () => {
        heardAt = Date.now();
        become("live");
      };
      source.onerror = () => {
        become("lost");
        // The browser connects again by itself after a cut; it gives up when it is told no.
        if (source?.readyState !== EventSource.CLOSED) return;
        void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
        timer = setTimeout(open, AGAIN_AFTER);
      };
    };
    open();
    return () => {
      clearTimeout(timer);
      source?.close();
      become("connecting");
    };
  }, [client]);
}

function take(client: QueryClient, part: Part, text: string): void {
  become("live");
  heardAt = Date.now();
  client.setQueryData<Overview>(overviewQuery.queryKey, (overview) =>
    overview ? (withPart(overview, part, text) ?? overview) : overview,
  );
  // What the stream only counts is worth another look.
  if (part === "alerts") void client.invalidateQueries({ queryKey: ["alerts"] });
  if (part === "jobs") void client.invalidateQueries({ queryKey: ["jobs"] });
}
