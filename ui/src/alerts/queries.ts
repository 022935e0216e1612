// Alerts, and what people do about them.

import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { get, post } from "../api/client";
import type { Alert, List } from "../api/types";

/** Alerts that fire or are about to, with their evidence. */
export const activeAlertsQuery = queryOptions({
  queryKey: ["alerts", "active"],
  queryFn: ({ signal }) =>
    get<List<Alert>>("/api/v1/alerts?state=firing,acknowledged,pending&limit=200", signal),
  refetchInterval: 30_000,
});

/** What can be done to an alert by hand. */
export type AlertAction = "acknowledge" | "resolve";

interface Doing {
  readonly id: string;
  readonly action: AlertAction;
  readonly note: string;
}

export function useAlertAction() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, action, note }: Doing) =>
      post<Alert>(`/api/v1/alerts/${encodeURIComponent(id)}/${action}`, note.trim() ? { note } : {}),
    onSuccess: () => client.invalidateQueries({ queryKey: ["alerts"] }),
  });
}
