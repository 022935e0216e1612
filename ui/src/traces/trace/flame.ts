// A trace as a flame graph: spans of the same service and name, called the same way, are one frame, as wide as all of
// them and their parts ran by themselves.

import type { SpanNode } from "./layout";

export interface Frame {
  readonly key: string;
  readonly name: string;
  readonly service: string | null;
  readonly depth: number;
  /** Its left end and its width, as shares of what is shown. */
  readonly left: number;
  readonly width: number;
  /** How many spans it is of, how many of them failed. */
  readonly amount: number;
  readonly errors: number;
  /** Seconds that these and their parts ran, and those without their parts. */
  readonly total: number;
  readonly self: number;
  /** The longest of them. */
  readonly span: string;
  /** Whether what is shown as a whole is a part of it. */
  readonly isAbove: boolean;
}

interface Group {
  readonly key: string;
  readonly nodes: readonly SpanNode[];
  readonly children: readonly Group[];
  readonly self: number;
  readonly total: number;
  readonly first: SpanNode;
}

function groupsOf(nodes: readonly SpanNode[], above: string): readonly Group[] {
  const byName = new Map<string, SpanNode[]>();
  for (const node of nodes) {
    const name = `${node.span.origin.service ?? ""} ${node.span.name}`;
    const known = byName.get(name);
    if (known) known.push(node);
    else byName.set(name, [node]);
  }
  return [...byName].flatMap(([name, nodes]) => {
    const [first] = nodes;
    if (!first) return [];
    const key = `${above}\n${name}`;
    const children = groupsOf(
      nodes.flatMap(({ children }) => children),
      key,
    );
    const self = nodes.reduce((sum, { span }) => sum + span.self_seconds, 0);
    const total = children.reduce((sum, child) => sum + child.total, self);
    return [{ key, nodes, children, self, total, first }];
  });
}

/** The narrowest frame that is drawn, as a share of what is shown. */
const NARROWEST = 0.0008;

/** The frames of a trace, those of the group of one span as wide as the graph; of the whole trace without one. */
export function framesOf(roots: readonly SpanNode[], shown: string | null): readonly Frame[] {
  const groups = groupsOf(roots, "");
  const way = shown === null ? null : wayTo(groups, shown);
  const frames: Frame[] = [];
  for (const [depth, group] of (way ?? []).slice(0, -1).entries())
    frames.push(frameOf(group, depth, 0, 1, true));
  const add = (groups: readonly Group[], depth: number, left: number, width: number, whole: number) => {
    let at = left;
    for (const group of groups.toSorted((a, b) => a.first.start - b.first.start)) {
      // A trace of no length at all has frames all the same.
      const share = whole > 0 ? (group.total / whole) * width : width / groups.length;
      if (share >= NARROWEST) {
        frames.push(frameOf(group, depth, at, share, false));
        add(group.children, depth + 1, at, share, group.total);
      }
      at += share;
    }
  };
  const last = way?.at(-1);
  const top = last ? [last] : groups;
  add(
    top,
    last ? (way?.length ?? 1) - 1 : 0,
    0,
    1,
    top.reduce((sum, { total }) => sum + total, 0),
  );
  return frames;
}

function wayTo(groups: readonly Group[], span: string): readonly Group[] | null {
  for (const group of groups) {
    if (group.nodes.some(({ key }) => key === span)) return [group];
    const below = wayTo(group.children, span);
    if (below) return [group, ...below];
  }
  return null;
}

function frameOf(group: Group, depth: number, left: number, width: number, isAbove: boolean): Frame {
  const { key, nodes, self, total, first } = group;
  const longest = nodes.reduce((a, b) => (b.end - b.start > a.end - a.start ? b : a), first);
  return {
    key,
    name: first.span.name,
    service: first.span.origin.service ?? null,
    depth,
    left,
    width,
    amount: nodes.length,
    errors: nodes.filter(({ span }) => span.status === "error").length,
    total,
    self,
    span: longest.key,
    isAbove,
  };
}
