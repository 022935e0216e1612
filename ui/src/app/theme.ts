// Light or dark: as the system says, until somebody chooses.

import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";

const KEY = "watchkeeper-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function chosen(): Theme | null {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : null;
  } catch {
    // Storage may be forbidden; then nothing is remembered.
    return null;
  }
}

function current(): Theme {
  return chosen() ?? (system.matches ? "dark" : "light");
}

/** Puts the theme into effect, and follows the system. */
export function applyTheme(): void {
  const apply = () => {
    document.documentElement.dataset.theme = current();
    for (const listener of listeners) listener();
  };
  apply();
  system.addEventListener("change", apply);
}

function choose(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // See above.
  }
  document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

/** The theme, and how to choose another. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const theme = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => (document.documentElement.dataset.theme === "dark" ? "dark" : "light"),
  );
  return [theme, choose];
}
