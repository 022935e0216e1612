// A trace as a tree over time: which rows it has, and where their bars stand.

import type { LogRecord, Trace, TraceSpan } from "../../api/types";

/** A stretch of time, in seconds since the trace began. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

export interface SpanNode extends Stretch {
  readonly kind: "span";
  readonly key: string;
  readonly span: TraceSpan;
  readonly depth: number;
  readonly children: readonly SpanNode[];
  readonly logs: readonly LogNode[];
  /** When it ran while none of its parts did. */
  readonly self: readonly Stretch[];
}

export interface LogNode extends Stretch {
  readonly kind: "log";
  readonly key: string;
  readonly line: LogRecord;
  readonly depth: number;
}

export type Row = SpanNode | LogNode;

export interface Tree {
  readonly roots: readonly SpanNode[];
  /** Log lines of no span that is here. */
  readonly loose: readonly LogNode[];
  /** When the trace began, in milliseconds since the epoch. */
  readonly begin: number;
  /** How long it took, in seconds. */
  readonly duration: number;
}

/** The seconds from a time in milliseconds to one in RFC 3339, which may have nanoseconds. */
export function secondsSince(begin: number, time: string): number {
  const parts = /^(.*?)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(time);
  if (!parts) return 0;
  return (Date.parse(`${parts[1]}${parts[3]}`) - begin) / 1000 + Number(parts[2] ?? 0);
}

interface Making {
  readonly span: TraceSpan;
  readonly start: number;
  readonly end: number;
  readonly children: Making[];
  readonly lines: LogRecord[];
}

/** The tree of a trace. A span that says it is within itself, or in one that is not here, is a root. */
export function treeOf({ spans, logs }: Pick<Trace, "spans" | "logs">): Tree {
  const first = spans[0] ?? logs[0];
  const whole = first ? Math.floor(Date.parse(first.time) / 1000) * 1000 : 0;
  const makings = spans.map((span): Making => {
    const start = secondsSince(whole, span.time) + span.skew_seconds;
    return { span, start, end: start + span.duration_seconds, children: [], lines: [] };
  });
  const bySpan = new Map(makings.map((making) => [making.span.span_id, making]));
  const roots = makings.filter((making) => {
    const parent = making.span.parent == null || making.span.cut ? undefined : makings[making.span.parent];
    parent?.children.push(making);
    return parent === undefined;
  });
  const loose: LogRecord[] = [];
  for (const line of logs) (bySpan.get(line.span_id ?? "")?.lines ?? loose).push(line);
  const times = makings.length > 0 ? makings : logs.map((line) => lineStretch(line, whole));
  // No spread: there may be more spans than a call takes arguments.
  const begin = times.reduce((low, { start }) => Math.min(low, start), times[0]?.start ?? 0);
  const end = times.reduce((high, { end }) => Math.max(high, end), begin);
  return {
    roots: byStart(roots).map((root) => nodeOf(root, 0, begin, whole)),
    loose: loose.map((line) => logNode(line, 0, begin, whole)),
    begin: whole + begin * 1000,
    duration: end - begin,
  };
}

function byStart(makings: readonly Making[]): readonly Making[] {
  return makings.toSorted((a, b) => a.start - b.start);
}

/** How deep the tree is followed; whatever lies deeper stands there side by side. */
const DEEPEST = 500;

function allWithin(making: Making): readonly Making[] {
  const all: Making[] = [];
  const left = [...making.children];
  for (let next = left.pop(); next; next = left.pop()) {
    all.push(next);
    left.push(...next.children);
  }
  return all;
}

function nodeOf(making: Making, depth: number, begin: number, whole: number): SpanNode {
  const { span, start, end, children, lines } = making;
  const within = depth < DEEPEST ? byStart(depth === DEEPEST - 1 ? allWithin(making) : children) : [];
  return {
    kind: "span",
    key: span.span_id,
    span,
    depth,
    start: start - begin,
    end: end - begin,
    children: within.map((child) => nodeOf(child, depth + 1, begin, whole)),
    logs: lines.map((line) => logNode(line, depth + 1, begin, whole)),
    self: gapsIn({ start: start - begin, end: end - begin }, byStart(children), begin),
  };
}

function lineStretch(line: LogRecord, whole: number): Stretch {
  const at = secondsSince(whole, line.time);
  return { start: at, end: at };
}

function logNode(line: LogRecord, depth: number, begin: number, whole: number): LogNode {
  const at = lineStretch(line, whole).start - begin;
  return { kind: "log", key: `log ${line.time} ${line.id}`, line, depth, start: at, end: at };
}

/** What of a stretch none of its parts covers; these begin in their order. */
function gapsIn({ start, end }: Stretch, parts: readonly Making[], begin: number): readonly Stretch[] {
  const gaps: Stretch[] = [];
  let at = start;
  for (const part of parts) {
    const [low, high] = [part.start - begin, part.end - begin];
    if (low > at) gaps.push({ start: at, end: Math.min(low, end) });
    at = Math.max(at, high);
    if (at >= end) return gaps;
  }
  if (at < end || parts.length === 0) gaps.push({ start: at, end });
  return gaps;
}

/** The rows of a tree from its top: without what lies within spans that are folded, and with log lines in their places. */
export function rowsOf(tree: Tree, folded: ReadonlySet<string>, hasLogs: boolean): readonly Row[] {
  const rows: Row[] = [];
  const add = (node: SpanNode) => {
    rows.push(node);
    if (folded.has(node.key)) return;
    const within: readonly Row[] = hasLogs ? merged(node.children, node.logs) : node.children;
    for (const row of within) {
      if (row.kind === "span") add(row);
      else rows.push(row);
    }
  };
  for (const row of hasLogs ? merged(tree.roots, tree.loose) : tree.roots) {
    if (row.kind === "span") add(row);
    else rows.push(row);
  }
  return rows;
}

function merged(spans: readonly SpanNode[], logs: readonly LogNode[]): readonly Row[] {
  if (logs.length === 0) return spans;
  return [...spans, ...logs].toSorted((a, b) => a.start - b.start);
}

/** Round times for the axis: about so many, the first at zero. */
export function ticksOf(duration: number, about: number): readonly number[] {
  if (!(duration > 0)) return [0];
  const rough = duration / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? rough;
  return Array.from({ length: Math.floor(duration / step) + 1 }, (_, place) => place * step);
}
