// What somebody prefers on this device: kept in the browser, and the same in all of its tabs.

import { useSyncExternalStore } from "react";

export interface Preference<T extends string> {
  readonly get: () => T;
  readonly set: (value: T) => void;
  readonly use: () => T;
  /** Asks for the fallback again, which has changed. */
  readonly refresh: () => void;
  /** Tells when it changes. */
  readonly listen: (listener: () => void) => () => void;
}

/** A choice among `values`; `fallback` says what holds until somebody chooses. */
export function preference<T extends string>(
  name: string,
  values: readonly T[],
  fallback: () => T,
): Preference<T> {
  const key = `watchkeeper-${name}`;
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  let unkept: T | undefined;
  window.addEventListener("storage", (event) => {
    if (event.key === key) tell();
  });
  const get = () => {
    if (unkept !== undefined) return unkept;
    try {
      const kept = localStorage.getItem(key);
      return values.find((value) => value === kept) ?? fallback();
    } catch {
      // Storage may be forbidden; then nothing is remembered beyond this page.
      return fallback();
    }
  };
  const set = (value: T) => {
    try {
      localStorage.setItem(key, value);
    } catch {
      unkept = value;
    }
    tell();
  };
  const listen = (listener: () => void) => {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  };
  return { get, set, listen, refresh: tell, use: () => useSyncExternalStore(listen, get) };
}
