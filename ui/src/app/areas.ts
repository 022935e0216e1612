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
    name: "Alerts",
    areas: [
      {
        to: "/alerts",
        name: "Alerts",
        about: "what fires and what has fired, rules and channels",
        icon: "M6 16V11a6 6 0 1 1 12 0v5l1.500 2h-15zM10 21h4",
        key: "a",
    name: "Signals",
    areas: [
      {
        to: "/logs",
        name: "Logs",
        about: "what applications say, searched and live",
        icon: "M6 3.500h8l4 4v13H6ZM9 11h6M9 14.500h6M9 18h3",
        key: "l",
      },
      {
        to: "/traces",
        name: "Traces",
        about: "what a request did in which service, and the map of services",
        icon: "M4 6h9M8 11h9M11 16h9M4 6v10M4 11h4M4 16h7",
        key: "t",
    name: "Traffic",
    areas: [
      {
        to: "/requests",
        name: "Requests",
        about: "rates, failures and durations, and who asked",
        icon: "M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4",
        key: "r",
      },
      {
        to: "/llm",
        name: "LLM",
        about: "models, tokens, backends, and each call",
        icon: "M12 4l2 6 6 2-6 2-2 6-2-6-6-2 6-2zM19 3v4M17 5h4",
        key: "m",
      },
    ],
  },
  {
    name: "Machines",
    areas: [
      {
        to: "/hosts",
        name: "Hosts",
        about: "processors, memory, disks, GPUs, processes and services",
        icon: "M4 5h16v6H4zM4 13h16v6H4zM7 8h.01M7 16h.01M11 8h6M11 16h6",
        key: "h",
    name: "Pipeline",
    areas: [
      {
        to: "/queues",
        name: "Queues",
        about: "what waits, how long, and what comes and goes",
        icon: "M4 6h16M4 12h11M4 18h6",
        key: "q",
      },
      {
        to: "/workers",
        name: "Workers",
        about: "who takes work, how they do, and what they hold",
        icon: "M7 7h10v10H7zM10 3v4M14 3v4M10 17v4M14 17v4M3 10h4M3 14h4M17 10h4M17 14h4",
        key: "w",
      },
      {
        to: "/documents",
        name: "Documents",
        about: "one document across all its jobs and queues",
        icon: "M6 3.500h8l4 4v13H6ZM14 3.500v4h4",
        key: "d",
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
  {
    name: "Admin",
    areas: [
      {
        to: "/admin",
        name: "Admin",
        about: "users, keys, audit, collectors, storage and ingest",
        icon: "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 12l2 2 4-4",
        key: ",",
      },
    ],
  },
];

export const AREAS: readonly Area[] = GROUPS.flatMap(({ areas }) => areas);
