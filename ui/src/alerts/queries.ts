// Alerts, the rules that they come from, the channels over which they are told, and what people do about them.

import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { ApiError, get, post } from "../api/client";
import type {
  Alert,
  AlertContext,
  AlertDetail,
  Channel,
  Delivery,
  Diagnosis,
  List,
  Rule,
  RulesReload,
} from "../api/types";
import type { DeliveryState, Minutes, Severity, State } from "./address";

/** How often is looked again, in milliseconds; the live stream tells of alerts before that. */
const REFRESH = 30_000;

/** Alerts that fire or are about to, with their evidence. */
export const activeAlertsQuery = queryOptions({
  queryKey: ["alerts", "active"],
  queryFn: ({ signal }) =>
    get<List<Alert>>("/api/v1/alerts?state=firing,acknowledged,pending&limit=200", signal),
  refetchInterval: REFRESH,
});

export interface AlertFilter {
  /** Of any state when it is left out. */
  readonly state?: State | undefined;
  readonly severity?: Severity | undefined;
  readonly rule?: string | undefined;
}

/** How many alerts are asked for at a time: each brings its evidence. */
const PART = 100;

/** Alerts that a filter lets through, the last changed first, part by part. */
export function alertsQuery({ state, severity, rule }: AlertFilter) {
  return infiniteQueryOptions({
    queryKey: ["alerts", "list", state, severity, rule],
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams({ limit: String(PART), offset: String(pageParam) });
      if (state) query.set("state", state);
      if (severity) query.set("severity", severity);
      if (rule) query.set("rule", rule);
      return get<List<Alert>>(`/api/v1/alerts?${query}`, signal);
    },
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const here = pages.reduce((sum, { items }) => sum + items.length, 0);
      return last.items.length > 0 && here < last.total ? here : undefined;
    },
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH,
  });
}

/** One alert, whatever its state, with its history. */
export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: ["alerts", "one", id],
    queryFn: ({ signal }) => get<AlertDetail>(`/api/v1/alerts/${encodeURIComponent(id)}`, signal),
    retry: (failures, error) => failures < 3 && !isUnknown(error),
    refetchInterval: REFRESH,
  });

/** What there was around the beginning of an alert. Once that time is over it is not asked for again. */
export function contextQuery(id: string, activeAt: string, minutes: Minutes) {
  return queryOptions({
    // An alert that comes back has another beginning.
    queryKey: ["alert context", id, activeAt, minutes],
    queryFn: ({ signal }) =>
      get<AlertContext>(
        `/api/v1/alerts/${encodeURIComponent(id)}/context?minutes=${minutes}&limit=10`,
        signal,
      ),
    placeholderData: keepPreviousData,
    staleTime: REFRESH,
    refetchInterval: ({ state }) => (state.data && Date.parse(state.data.to) > Date.now() ? REFRESH : false),
  });
}

/** All rules. The server takes no more than a thousand at a time. */
export const rulesQuery = queryOptions({
  queryKey: ["rules"],
  queryFn: ({ signal }) => get<List<Rule>>("/api/v1/rules?limit=1000", signal),
  refetchInterval: REFRESH,
});

/** How reading the rule files again went. */
export const rulesReloadQuery = queryOptions({
  queryKey: ["rules", "reload"],
  queryFn: ({ signal }) => get<RulesReload>("/api/v1/rules/reload", signal),
  refetchInterval: REFRESH,
});

export const channelsQuery = queryOptions({
  queryKey: ["channels"],
  queryFn: ({ signal }) => get<List<Channel>>("/api/v1/channels?limit=1000", signal),
  refetchInterval: REFRESH,
});

export interface DeliveryFilter {
  readonly state?: DeliveryState | undefined;
  readonly channel?: string | undefined;
}

/** Notifications with their outcome, newest first. */
export function deliveriesQuery({ state, channel }: DeliveryFilter) {
  return queryOptions({
    queryKey: ["deliveries", state, channel],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams({ limit: "500" });
      if (state) query.set("state", state);
      if (channel) query.set("channel", channel);
      return get<List<Delivery>>(`/api/v1/deliveries?${query}`, signal);
    },
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH,
  });
}

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

/** Runs the checks of an alert's rule now. */
export function useDiagnosis(id: string) {
  return useMutation({
    mutationFn: () => post<Diagnosis>(`/api/v1/alerts/${encodeURIComponent(id)}/diagnose`),
  });
}
