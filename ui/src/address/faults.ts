// What of an address could not be read, until somebody has seen it.

import { useSyncExternalStore } from "react";

export interface Fault {
  readonly name: string;
  readonly value: string;
}

/** The most that are kept, and the longest value that is shown, in characters. */
const MOST = 5;
const LONGEST = 80;

let faults: readonly Fault[] = [];
const listeners = new Set<() => void>();

function become(next: readonly Fault[]): void {
  faults = next;
  // A view reads its address while it is drawn, when nothing may be told to others yet.
  queueMicrotask(() => {
    for (const listener of listeners) listener();
  });
}

/** Takes note of a value that cannot be read. */
export function note(name: string, value: string): void {
  const short = value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
  if (faults.length >= MOST || faults.some((fault) => fault.name === name && fault.value === short)) return;
  become([...faults, { name, value: short }]);
}

/** Forgets them. */
export function dismiss(): void {
  become([]);
}

export function useFaults(): readonly Fault[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    () => faults,
  );
}
