// Keys that work on every page, unless somebody is typing.

import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { isLive, shifted, toggled } from "../time/range";
import { spanNow, useSetTimeRange, useTimeRange } from "../time/useTimeRange";
import { AREAS } from "./areas";

interface Does {
  readonly search: () => void;
  readonly help: () => void;
}

/** How long a `g` waits for the key of a page, in milliseconds. */
const PATIENCE = 1_500;

export function useShortcuts({ search, help }: Does): void {
  const navigate = useNavigate();
  const range = useTimeRange();
  const go = useSetTimeRange();
  const begun = useRef(0);
  useEffect(() => {
    const act = (key: string): boolean => {
      const isSecond = Date.now() - begun.current < PATIENCE;
      begun.current = key === "g" ? Date.now() : 0;
      const area = isSecond ? AREAS.find((area) => area.key === key) : undefined;
      if (area) {
        void navigate({ to: area.to });
        return true;
      }
      const span = spanNow(range);
      switch (key) {
        case "/":
          search();
          return true;
        case "?":
          help();
          return true;
        case "t":
          document.querySelector<HTMLElement>("[data-shortcut=time]")?.click();
          return true;
        case "[":
          go(shifted(span, -1, Date.now()));
          return true;
        case "]":
          if (!isLive(range)) go(shifted(span, 1, Date.now()));
          return true;
        case "p":
          go(toggled(range, span, Date.now()));
          return true;
        default:
          return false;
      }
    };
    const press = (event: KeyboardEvent) => {
      if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        search();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTaken(event.target))
        return;
      if (act(event.key)) event.preventDefault();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [navigate, range, go, search, help]);
}

/** Whether keys belong to where the focus is: somebody writes there, or it stands before the page. */
function isTaken(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest("input, textarea, select, [contenteditable=true], dialog, [role=dialog], [role=menu]") !==
      null
  );
}
