// What the addresses of the pages about alerts say.

import { checked, oneOf, type Query, search, text } from "../address/read";

export const TABS = ["active", "history", "rules", "channels"] as const;
export type Tab = (typeof TABS)[number];

export const STATES = ["firing", "acknowledged", "pending", "resolved"] as const;
export type State = (typeof STATES)[number];

export const SEVERITIES = ["critical", "error", "warning", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

export const HEALTHS = ["ok", "err", "unknown"] as const;
export type Health = (typeof HEALTHS)[number];

export const DELIVERY_STATES = ["pending", "failed", "delivered", "dead"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface AlertsSearch {
  /** What is shown; active alerts when it is left out. */
  readonly tab?: Tab;
  readonly state?: State;
  readonly severity?: Severity;
  /** The name of a rule: whole where alerts are shown, a part of it where rules are. */
  readonly rule?: string;
  /** Of rules: how their last evaluation went. */
  readonly health?: Health;
  /** The id of the rule that is open. */
  readonly open?: string;
  /** Of notifications: over which channel, and what became of them. */
  readonly channel?: string;
  readonly delivery?: DeliveryState;
  /** By which column rules are sorted; from the largest down with a `-` before it. */
  readonly sort?: string;
}

export function alertsSearch(query: Query): AlertsSearch {
  const tab = oneOf(query, "tab", TABS);
  return search<AlertsSearch>({
    tab: tab === "active" ? undefined : tab,
    state: oneOf(query, "state", STATES),
    severity: oneOf(query, "severity", SEVERITIES),
    rule: text(query, "rule"),
    health: oneOf(query, "health", HEALTHS),
    open: text(query, "open"),
    channel: text(query, "channel"),
    delivery: oneOf(query, "delivery", DELIVERY_STATES),
    sort: checked(query, "sort", (value) => /^-?[a-z]+$/.test(value)),
  });
}

/** How far around the beginning of an alert is looked, in minutes. */
export const MINUTES = ["5", "15", "60"] as const;
export type Minutes = (typeof MINUTES)[number];

export interface AlertSearch {
  /** How far around its beginning what else there was is looked for; 15 minutes when it is left out. */
  readonly minutes?: Minutes;
}

export function alertSearch(query: Query): AlertSearch {
  const minutes = oneOf(query, "minutes", MINUTES);
  return search<AlertSearch>({ minutes: minutes === "15" ? undefined : minutes });
}
