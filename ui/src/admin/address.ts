// What the address of the page of administration says.

import { oneOf, type Query, search, text } from "../address/read";

export const TABS = ["users", "keys", "audit", "collectors", "storage", "ingest", "configuration"] as const;
export type Tab = (typeof TABS)[number];

export interface AdminSearch {
  /** What is shown; users when it is left out. */
  readonly tab?: Tab;
  /** Of the audit log: who, what, and to what. */
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  /** Whether the audit log is shown whole, and not of the time that is shown alone. */
  readonly when?: "all";
}

export function adminSearch(query: Query): AdminSearch {
  const tab = oneOf(query, "tab", TABS);
  return search<AdminSearch>({
    tab: tab === "users" ? undefined : tab,
    actor: text(query, "actor"),
    action: text(query, "action"),
    target: text(query, "target"),
    when: oneOf(query, "when", ["all"]),
  });
}
