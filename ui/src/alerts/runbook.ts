// Where it stands what to do about an alert.

import type { Alert } from "../api/types";

/** The address of the runbook, if it is one that a page may lead to. */
export function runbookOf(alert: Pick<Alert, "annotations">): string | null {
  const url = alert.annotations.runbook_url ?? "";
  return /^(https?:\/)?\/[^/\\]/.test(url) ? url : null;
}
