// How many jobs of each kind ended when, and how: the grid above the list.

import type { Answer } from "../../metrics/answer";
import { seriesName } from "../../metrics/labels";
import type { Span } from "../../time/range";

/** The most buckets of a grid: each is to be wide enough to be pressed. */
const MOST = 30;
/** How long buckets may be, in seconds. Counts are stored each 15 s: in shorter ones none would be counted. */
const LENGTHS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800];

/** The times of a grid, in seconds: buckets that begin at whole multiples of their length. */
export interface Buckets {
  readonly length: number;
  /** When each ends. */
  readonly ends: readonly number[];
}

export function bucketsOf({ start, end }: Span): Buckets {
  const length = LENGTHS.find((length) => (end - start) / length <= MOST) ?? Math.ceil((end - start) / MOST);
  const first = Math.floor(start / length) + 1;
  const last = Math.ceil(end / length);
  return { length, ends: Array.from({ length: last - first + 1 }, (_, place) => (first + place) * length) };
}

export interface Cell {
  /** When the bucket begins and ends, in seconds. */
  readonly start: number;
  readonly end: number;
  readonly completed: number;
  readonly failed: number;
  readonly retried: number;
}

export interface GridRow {
  readonly kind: string;
  readonly cells: readonly Cell[];
  readonly completed: number;
  readonly failed: number;
  readonly retried: number;
  /** The most jobs that ended in one bucket. */
  readonly most: number;
}

/** Which jobs the grid counts. */
export interface GridFilter {
  readonly kind?: string | undefined;
  readonly queue?: string | undefined;
}

/** What is asked for the grid, in PromQL. */
export function gridExpr(filter: GridFilter, length: number): string {
  const labels = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
  return `sum by (kind, status) (increase(${seriesName({ __name__: "jobs_total", ...labels })}[${length}s]))`;
}

const ENDS = ["completed", "failed", "retried"] as const;

/** The rows of an answer, the kinds with most jobs first. */
export function gridOf(answer: Answer, { length, ends }: Buckets): readonly GridRow[] {
  const counts = new Map<string, number[][]>();
  const series = answer.data.resultType === "matrix" ? answer.data.result : [];
  for (const { metric, values = [] } of series) {
    const status = ENDS.indexOf(metric.status as (typeof ENDS)[number]);
    if (status === -1) continue;
    const kind = metric.kind ?? "";
    const row = counts.get(kind) ?? ends.map(() => [0, 0, 0]);
    counts.set(kind, row);
    for (const [time, text] of values) {
      const cell = row[ends.indexOf(time)];
      const amount = Math.round(Number(text));
      if (cell && Number.isFinite(amount)) cell[status] = (cell[status] ?? 0) + amount;
    }
  }
  const rows = [...counts].map(([kind, cells]) => rowOf(kind, cells, ends, length));
  return rows
    .filter(({ completed, failed, retried }) => completed + failed + retried > 0)
    .sort((a, b) => b.completed + b.failed - a.completed - a.failed || a.kind.localeCompare(b.kind));
}

function rowOf(kind: string, amounts: readonly number[][], ends: readonly number[], length: number): GridRow {
  const cells = ends.map((end, place) => {
    const [completed = 0, failed = 0, retried = 0] = amounts[place] ?? [];
    return { start: end - length, end, completed, failed, retried };
  });
  const sum = (of: (cell: Cell) => number) => cells.reduce((sum, cell) => sum + of(cell), 0);
  return {
    kind,
    cells,
    completed: sum(({ completed }) => completed),
    failed: sum(({ failed }) => failed),
    retried: sum(({ retried }) => retried),
    most: cells.reduce((most, cell) => Math.max(most, cell.completed + cell.failed), 0),
  };
}
