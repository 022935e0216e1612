// Where the services of a map stand: in layers, so that most requests lead from the left to the right, and within each
// layer so that lines cross little. After Sugiyama, Tagawa and Toda (1981): circles are broken, layers are those of the
// longest way, long lines get a place in each layer that they pass, and layers are ordered by the middle of neighbours.

export interface Edge {
  readonly client: string;
  readonly server: string;
}

export interface Box {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

export interface Line<E extends Edge> {
  readonly edge: E;
  /** The places that it leads through, from the right side of one box to the left side of another. */
  readonly points: readonly (readonly [number, number])[];
  /** Whether it leads back to an earlier layer. */
  readonly isBack: boolean;
}

export interface MapLayout<E extends Edge> {
  readonly boxes: readonly Box[];
  readonly lines: readonly Line<E>[];
  readonly width: number;
  readonly height: number;
}

export const BOX = { width: 160, height: 54 };
const [ACROSS, DOWN, MARGIN] = [52, 14, 14];
/** How much room a line takes that only passes a layer. */
const PASSING = 16;
const SWEEPS = 8;

interface Item {
  /** The name of a service; of a line that passes, null. */
  readonly name: string | null;
  readonly layer: number;
  readonly before: Item[];
  readonly behind: Item[];
  place: number;
  y: number;
}

export function layoutOf<E extends Edge>(names: readonly string[], edges: readonly E[]): MapLayout<E> {
  const known = new Set(names);
  const real = edges.filter(
    ({ client, server }) => client !== server && known.has(client) && known.has(server),
  );
  const back = backEdges(names, real);
  const layers = layersOf(names, real, back);
  const items = new Map(names.map((name): [string, Item] => [name, itemOf(name, layers.get(name) ?? 0)]));
  const rows: Item[][] = [];
  const put = (item: Item) => {
    const row = rows[item.layer] ?? [];
    rows[item.layer] = row;
    item.place = row.length;
    row.push(item);
  };
  for (const item of items.values()) put(item);
  const ways = real.flatMap((edge): { edge: E; way: readonly Item[]; isBack: boolean }[] => {
    const isBack = back.has(edge);
    const [from, to] = [
      items.get(isBack ? edge.server : edge.client),
      items.get(isBack ? edge.client : edge.server),
    ];
    if (!from || !to) return [];
    const way = [from];
    for (let layer = from.layer + 1; layer < to.layer; layer += 1) {
      const passing = itemOf(null, layer);
      put(passing);
      way.push(passing);
    }
    way.push(to);
    for (const [place, item] of way.entries()) {
      const next = way[place + 1];
      if (!next) continue;
      item.behind.push(next);
      next.before.push(item);
    }
    return [{ edge, way, isBack }];
  });
  order(rows);
  const height = settle(rows);
  return {
    boxes: [...items].map(([name, { layer, y }]) => ({ name, x: xOf(layer), y })),
    lines: ways.map(({ edge, way, isBack }) => ({ edge, isBack, points: pointsOf(way, isBack) })),
    width: xOf(Math.max(0, rows.length - 1)) + BOX.width + MARGIN,
    height,
  };
}

function itemOf(name: string | null, layer: number): Item {
  return { name, layer, before: [], behind: [], place: 0, y: 0 };
}

function xOf(layer: number): number {
  return MARGIN + layer * (BOX.width + ACROSS);
}

function heightOf({ name }: Item): number {
  return name === null ? PASSING : BOX.height;
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group) group.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return groups;
}

/** Those that lead back to where one came from, on a walk from the services that nobody asks. */
function backEdges<E extends Edge>(names: readonly string[], edges: readonly E[]): ReadonlySet<E> {
  const from = grouped(edges, ({ client }) => client);
  const asked = new Set(edges.map(({ server }) => server));
  const state = new Map<string, "open" | "done">();
  const back = new Set<E>();
  const walk = (name: string) => {
    state.set(name, "open");
    for (const edge of from.get(name) ?? []) {
      if (state.get(edge.server) === "open") back.add(edge);
      else if (!state.has(edge.server)) walk(edge.server);
    }
    state.set(name, "done");
  };
  for (const name of [...names.filter((name) => !asked.has(name)), ...names])
    if (!state.has(name)) walk(name);
  return back;
}

/** The layer of each service: how many others are asked at the most on the way to it. */
function layersOf<E extends Edge>(
  names: readonly string[],
  edges: readonly E[],
  back: ReadonlySet<E>,
): ReadonlyMap<string, number> {
  const into = grouped(
    edges.map((edge) =>
      back.has(edge)
        ? { client: edge.server, server: edge.client }
        : { client: edge.client, server: edge.server },
    ),
    ({ server }) => server,
  );
  const layers = new Map<string, number>();
  const layerOf = (name: string): number => {
    const found = layers.get(name);
    if (found !== undefined) return found;
    // Broken circles come here no second time; an edge beside one that was turned could.
    layers.set(name, 0);
    const layer = (into.get(name) ?? []).reduce((most, { client }) => Math.max(most, layerOf(client) + 1), 0);
    layers.set(name, layer);
    return layer;
  };
  for (const name of names) layerOf(name);
  return layers;
}

/** Orders each layer by the middle of its neighbours, forth and back. */
function order(rows: readonly Item[][]): void {
  const sort = (row: Item[], neighbours: (item: Item) => readonly Item[]) => {
    const middle = new Map(
      row.map((item) => {
        const places = neighbours(item).map(({ place }) => place);
        return [item, places.length === 0 ? item.place : places.reduce((a, b) => a + b) / places.length];
      }),
    );
    row.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0));
    for (const [place, item] of row.entries()) item.place = place;
  };
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const row of rows) sort(row, ({ before }) => before);
    for (const row of rows.toReversed()) sort(row, ({ behind }) => behind);
  }
}

/** Gives each item its height, near the middle of its neighbours and without touching others. Gives the whole height. */
function settle(rows: readonly Item[][]): number {
  for (const row of rows) stack(row, () => null);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const row of rows) stack(row, ({ before }) => middleOf(before));
    for (const row of rows.toReversed()) stack(row, ({ behind }) => middleOf(behind));
  }
  const all = rows.flat();
  const low = all.reduce((low, { y }) => Math.min(low, y), Number.POSITIVE_INFINITY);
  for (const item of all) item.y += MARGIN - low;
  return all.reduce((high, item) => Math.max(high, item.y + heightOf(item)), 0) + MARGIN;
}

function middleOf(items: readonly Item[]): number | null {
  if (items.length === 0) return null;
  return items.reduce((sum, item) => sum + item.y + heightOf(item) / 2, 0) / items.length;
}

/** Puts a layer where it wants to be, in its order: from above, and then moved up as a whole by half of what it was pushed. */
function stack(row: readonly Item[], wish: (item: Item) => number | null): void {
  let next = Number.NEGATIVE_INFINITY;
  let pushed = 0;
  for (const item of row) {
    const middle = wish(item);
    const wanted = middle === null ? Math.max(next, item.y) : middle - heightOf(item) / 2;
    const y = Math.max(next, Number.isFinite(wanted) ? wanted : 0);
    pushed = Math.max(pushed, y - wanted);
    item.y = y;
    next = y + heightOf(item) + DOWN;
  }
  for (const item of row) item.y -= pushed / 2;
}

function pointsOf(way: readonly Item[], isBack: boolean): readonly (readonly [number, number])[] {
  const points = way.flatMap((item, place): (readonly [number, number])[] => {
    const [x, y] = [xOf(item.layer), item.y + heightOf(item) / 2];
    if (place === 0) return [[x + BOX.width, y]];
    if (place === way.length - 1) return [[x, y]];
    return [
      [x, y],
      [x + BOX.width, y],
    ];
  });
  return isBack ? points.toReversed() : points;
}

/** A smooth path through points. */
export function pathThrough(points: readonly (readonly [number, number])[]): string {
  return points
    .map(([x, y], place) => {
      const before = points[place - 1];
      if (!before) return `M${round(x)} ${round(y)}`;
      const middle = (x + before[0]) / 2;
      return `C${round(middle)} ${round(before[1])} ${round(middle)} ${round(y)} ${round(x)} ${round(y)}`;
    })
    .join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
