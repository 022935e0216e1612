// Alerts, and what people do about them.

import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, get, post } from "../api/client";
import type { Alert, List } from "../api/types";

/** Alerts that fire or are about to, with their evidence. */
export const activeAlertsQuery = queryOptions({
  queryKey: ["alerts", "active"],
  queryFn: ({ signal }) =>
    get<List<Alert>>("/api/v1/alerts?state=firing,acknowledged,pending&limit=200", signal),
  refetchInterval: 30_000,
});

/** One alert, whatever its state. */
export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: ["alerts", "one", id],
    queryFn: ({ signal }) => get<Alert>(`/api/v1/alerts/${encodeURIComponent(id)}`, signal),
    retry: (failures, error) => failures < 3 && !isUnknown(error),
  });

/** Whether the server knows no such alert. */
export function isUnknown(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

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
