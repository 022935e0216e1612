// A line as small as a word, as a path of SVG.

/** The path of values in a box; a gap where there is none. From zero, or below it, to the highest of them, or `top`. */
export function sparkPath(
  values: readonly (number | null)[],
  width: number,
  height: number,
  top?: number,
): string {
  const known = values.filter((value) => value !== null);
  const low = Math.min(0, ...known);
  const high = Math.max(top ?? 0, ...known, low + Number.EPSILON);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let path = "";
  let isDown = false;
  values.forEach((value, place) => {
    if (value === null) {
      isDown = false;
      return;
    }
    const x = round(place * step);
    const y = round(height - ((value - low) / (high - low)) * height);
    // A lone value is a dot: a line of no length, which round ends make visible.
    const isLone = !isDown && (values[place + 1] ?? null) === null;
    path += `${isDown ? "L" : "M"}${x} ${y}${isLone ? "h0" : ""}`;
    isDown = true;
  });
  return path;
}

/** The path of an arc of a half circle: so much of it, from the left. */
export function arcPath(share: number, radius: number, centre: readonly [number, number]): string {
  const part = Math.min(1, Math.max(0, share));
  const [x, y] = centre;
  const angle = Math.PI * (1 - part);
  const end = [round(x + radius * Math.cos(angle)), round(y - radius * Math.sin(angle))];
  return `M${round(x - radius)} ${y}A${radius} ${radius} 0 0 1 ${end[0]} ${end[1]}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
