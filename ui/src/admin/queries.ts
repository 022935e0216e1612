// Users, keys, the audit log, and how Watchkeeper itself does.

import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { get, post, remove } from "../api/client";
import type {
  ApiKey,
  AuditItem,
  AuditVerdict,
  Collector,
  List,
  NewApiKey,
  Probe,
  Stats,
  User,
} from "../api/types";
import { type TimeRange, timeOf } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";

/** How often is looked again, in milliseconds. */
const REFRESH = 15_000;

export const usersQuery = queryOptions({
  queryKey: ["admin", "users"],
  queryFn: ({ signal }) => get<List<User>>("/api/v1/users?limit=1000", signal),
});

export const keysQuery = queryOptions({
  queryKey: ["admin", "keys"],
  queryFn: ({ signal }) => get<List<ApiKey>>("/api/v1/keys?limit=1000", signal),
  refetchInterval: REFRESH,
});

export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  /** All of the log, whenever, when it is null. */
  readonly range: TimeRange | null;
}

/** How many entries are asked for at a time. */
const PART = 200;

/** Entries of the audit log that a filter lets through, newest first, part by part. */
export function auditQuery({ actor, action, target, range }: AuditFilter) {
  return infiniteQueryOptions({
    queryKey: ["admin", "audit", actor, action, target, range],
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams({ limit: String(PART), offset: String(pageParam) });
      for (const [name, value] of Object.entries({ actor, action, target })) {
        if (value) query.set(name, value);
      }
      for (const [name, value] of Object.entries(timesOf(range))) query.set(name, value);
      return get<List<AuditItem>>(`/api/v1/audit?${query}`, signal);
    },
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const here = pages.reduce((sum, { items }) => sum + items.length, 0);
      return last.items.length > 0 && here < last.total ? here : undefined;
    },
    placeholderData: keepPreviousData,
    refetchInterval: range ? refreshOf(range) : REFRESH,
  });
}

/** Where the log is as a file. */
export function auditExport(range: TimeRange | null, format: "ndjson" | "csv"): string {
  return `/api/v1/audit/export?${new URLSearchParams({ format, ...timesOf(range) })}`;
}

function timesOf(range: TimeRange | null): Record<string, string> {
  if (!range) return {};
  const { start, end } = spanNow(range);
  return { since: timeOf(Math.floor(start)), until: timeOf(Math.ceil(end)) };
}

export const collectorsQuery = queryOptions({
  queryKey: ["collectors"],
  queryFn: ({ signal }) => get<List<Collector>>("/api/v1/collectors?limit=1000", signal),
  refetchInterval: REFRESH,
});

export const probesQuery = queryOptions({
  queryKey: ["probes"],
  queryFn: ({ signal }) => get<List<Probe>>("/api/v1/probes?limit=1000", signal),
  refetchInterval: REFRESH,
});

export const statsQuery = queryOptions({
  queryKey: ["statistics", "own"],
  queryFn: ({ signal }) => get<Stats>("/api/v1/stats", signal),
  refetchInterval: REFRESH,
});

/** Settings under the names that Prometheus has for them. */
export const flagsQuery = queryOptions({
  queryKey: ["admin", "flags"],
  queryFn: async ({ signal }) =>
    (
      await get<{ readonly data: Readonly<Record<string, string>> }>(
        "/prometheus/api/v1/status/flags",
        signal,
      )
    ).data,
});

export interface UserForm {
  readonly name: string;
  readonly password: string;
  readonly role: string;
}

export interface KeyForm {
  readonly name: string;
  readonly scopes: readonly string[];
  /** Never, when it is left out. */
  readonly expires_at?: string;
}

/** A change of what administrators look after; what is shown of it is asked for again. */
function useChange<T, R>(change: (value: T) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ queryKey: ["admin"] }),
  });
}

const userPath = (name: string) => `/api/v1/users/${encodeURIComponent(name)}`;

export const useAddUser = () => useChange((user: UserForm) => post<User>("/api/v1/users", user));
export const useRemoveUser = () => useChange((name: string) => remove(userPath(name)));
export const useSetPassword = () =>
  useChange(({ name, password }: Pick<UserForm, "name" | "password">) =>
    post<void>(`${userPath(name)}/password`, { password }),
  );
export const useAddKey = () => useChange((key: KeyForm) => post<NewApiKey>("/api/v1/keys", key));
export const useRevokeKey = () => useChange((id: string) => remove(`/api/v1/keys/${encodeURIComponent(id)}`));
export const useVerify = () =>
  useChange((head: string) =>
    get<AuditVerdict>(`/api/v1/audit/verify${head ? `?${new URLSearchParams({ expect_head: head })}` : ""}`),
  );
