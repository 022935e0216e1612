// How the lines of one chart are told apart: by dashes and shades, as colours mean states.

export interface Look {
  /** Lengths of dashes and gaps in turn; a line without any is solid. */
  readonly dash: readonly number[];
  readonly shade: "ink" | "muted";
}

const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [12, 3, 2, 3]];

/** The look of a line by its place; they repeat when all have been used. */
export function lookOf(place: number): Look {
  const dash = DASHES[place % DASHES.length] ?? [];
  return { dash, shade: Math.floor(place / DASHES.length) % 2 === 0 ? "ink" : "muted" };
}
