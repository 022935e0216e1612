// The place of a fault within a search. The server counts bytes of UTF-8, as files do; the page shows letters.

/** A text in three: what stands before the place, the place itself, and what stands behind it. */
export type Parted = readonly [string, string, string];

/** A text around the bytes from `start` to `end`. A place at the very end is shown as a space there. */
export function partedAt(text: string, start: number, end: number): Parted {
  const bytes = new TextEncoder().encode(text);
  const decode = (from: number, to: number) => new TextDecoder().decode(bytes.slice(from, to));
  const place = decode(start, Math.max(start, end));
  return [decode(0, start), place === "" ? " " : place, decode(Math.max(start, end), bytes.length)];
}
