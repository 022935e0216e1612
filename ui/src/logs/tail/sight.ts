// Which rows of a list are in sight.

interface Sight {
  /** The place of the first one that is drawn. */
  readonly first: number;
  readonly amount: number;
}

/** How many rows are drawn beyond what is in sight. */
const BEYOND = 6;

/** The rows to draw of so many, all of one height, where a list of `room` pixels is scrolled by `top`. */
export function rowsInSight(rows: number, top: number, room: number, height: number): Sight {
  const most = Math.ceil(room / height) + 1 + 2 * BEYOND;
  const furthest = Math.max(0, rows - most);
  const first = Math.min(furthest, Math.max(0, Math.floor(top / height) - BEYOND));
  return { first, amount: Math.min(most, rows - first) };
}
