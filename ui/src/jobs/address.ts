// What an address says of the jobs that are listed, and of the part of one job that is looked at.

import { checked, oneOf, type Query, search, text } from "../address/read";

export const STATUSES = ["pending", "running", "completed", "failed"] as const;
export type JobStatus = (typeof STATUSES)[number];

/** What can be wrong with a job; `any` of these. */
export const VERDICTS = [
  "any",
  "waiting_no_consumer",
  "owner_gone",
  "over_expected_time",
  "over_stage_history",
  "no_heartbeat",
] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface JobsSearch {
  readonly status?: JobStatus;
  readonly kind?: string;
  readonly queue?: string;
  readonly worker?: string;
  readonly document?: string;
  readonly tenant?: string;
  readonly verdict?: Verdict;
  /** Text in the id, document, kind, stage, message or error. */
  readonly q?: string;
}

export function jobsSearch(query: Query): JobsSearch {
  return search<JobsSearch>({
    status: oneOf(query, "status", STATUSES),
    kind: text(query, "kind"),
    queue: text(query, "queue"),
    worker: text(query, "worker"),
    document: text(query, "document"),
    tenant: text(query, "tenant"),
    verdict: oneOf(query, "verdict", VERDICTS),
    q: text(query, "q"),
  });
}

export const TABS = ["logs", "errors", "llm", "requests", "spans"] as const;
export type JobTab = (typeof TABS)[number];

export interface JobSearch {
  /** The bar of the waterfall that is chosen: `attempt-0`, or `stage-3` by its place in the job's list. */
  readonly bar?: string;
  /** Logs when it is left out. */
  readonly tab?: JobTab;
}

const BAR = /^(attempt|stage)-\d{1,6}$/;

export function jobSearch(query: Query): JobSearch {
  const tab = oneOf(query, "tab", TABS);
  return search<JobSearch>({
    bar: checked(query, "bar", (value) => BAR.test(value)),
    tab: tab === "logs" ? undefined : tab,
  });
}
