import { type KeyboardEvent, type RefObject, useCallback, useRef } from "react";

const MOVES: Record<string, readonly [number, number]> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  Home: [0, Number.NEGATIVE_INFINITY],
  End: [0, Number.POSITIVE_INFINITY],
};

interface Arrows {
  readonly ref: RefObject<HTMLTableElement | null>;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** Arrow keys move the focus between the cells of a table, one of which the tab key leads to. */
export function useArrows(): Arrows {
  const ref = useRef<HTMLTableElement>(null);
  const onKeyDown = useCallback((event: KeyboardEvent) => {
    const move = MOVES[event.key];
    if (!move || !ref.current) return;
    const rows = [...ref.current.rows]
      .map((row) => [...row.querySelectorAll<HTMLElement>("[data-cell]")])
      .filter((cells) => cells.length > 0);
    const row = rows.findIndex((cells) => cells.some((cell) => cell === event.target));
    const column = rows[row]?.indexOf(event.target as HTMLElement) ?? -1;
    if (row === -1 || column === -1) return;
    event.preventDefault();
    const line = rows[row + move[0]] ?? [];
    const to = line[Math.max(0, Math.min(line.length - 1, column + move[1]))];
    if (!to) return;
    for (const cell of rows.flat()) cell.tabIndex = cell === to ? 0 : -1;
    to.focus();
  }, []);
  return { ref, onKeyDown };
}
