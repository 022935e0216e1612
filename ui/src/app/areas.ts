// The areas of the page, in the order in which work flows through what they show.

import type { LinkProps } from "@tanstack/react-router";

export interface Area {
  readonly to: NonNullable<LinkProps["to"]>;
  readonly name: string;
  /** What one finds there. */
  readonly about: string;
  /** The picture: a path in a box of 24 by 24. */
  readonly icon: string;
  /** The second key, after `g`, that leads there. */
  readonly key: string;
}

export interface Group {
  readonly name: string | null;
  readonly areas: readonly Area[];
}

export const GROUPS: readonly Group[] = [
  {
    name: null,
    areas: [
      {
        to: "/",
        name: "Overview",
        about: "the pipeline at a glance",
        icon: "M4 5h6v6H4zM14 5h6v6h-6zM4 15h6v4H4zM14 15h6v4h-6z",
        key: "o",
      },
    ],
  },
  {
    name: "Pipeline",
    areas: [
      {
        to: "/jobs",
        name: "Jobs",
        about: "each piece of work, and where its time went",
        icon: "M4 6h8M8 12h9M13 18h7",
        key: "j",
      },
      {
        to: "/memory",
        name: "Memory",
        about: "what stages, components and workers hold, and do not give back",
        icon: "M7 7h10v10H7zM10 3v4M14 3v4M10 17v4M14 17v4M3 10h4M3 14h4M17 10h4M17 14h4",
        key: "y",
      },
    ],
  },
  {
    name: "Ask",
    areas: [
      {
        to: "/explore",
        name: "Explore",
        about: "any expression of PromQL",
        icon: "M4 19V5M4 19h16M7 15l4-5 3 3 5-7",
        key: "e",
      },
    ],
  },
];

export const AREAS: readonly Area[] = GROUPS.flatMap(({ areas }) => areas);
