// What the address of the requests says.

import { checked, oneOf, type Query, search, text } from "../address/read";

/** By what requests are grouped. */
export const GROUPINGS = ["route", "user", "api_key", "client", "service"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** The filters of the list; each is a parameter of the API under the same name. */
export interface RequestFilters {
  readonly method?: string;
  /** A status as 404, or a class of them as 4xx. */
  readonly status?: string;
  readonly service?: string;
  readonly route?: string;
  /** Text in the path. */
  readonly q?: string;
  readonly user?: string;
  readonly api_key?: string;
  readonly client?: string;
  readonly request_id?: string;
  /** In seconds. */
  readonly min_duration?: string;
}

export interface RequestsSearch extends RequestFilters {
  /** By route when it is left out. */
  readonly by?: Grouping;
}

export function requestsSearch(query: Query): RequestsSearch {
  const by = oneOf(query, "by", GROUPINGS);
  return search<RequestsSearch>({
    by: by === "route" ? undefined : by,
    method: checked(query, "method", isMethod),
    status: checked(query, "status", isStatus),
    service: text(query, "service"),
    route: text(query, "route"),
    q: text(query, "q"),
    user: text(query, "user"),
    api_key: text(query, "api_key"),
    client: text(query, "client"),
    request_id: text(query, "request_id"),
    min_duration: checked(query, "min_duration", isDuration),
  });
}

/** The filters of an address, without all else. */
export function filtersOf({ by: _by, ...filters }: RequestsSearch): RequestFilters {
  return Object.fromEntries(FILTERS.flatMap((name) => (filters[name] ? [[name, filters[name]]] : [])));
}

export const FILTERS = [
  "method",
  "status",
  "service",
  "route",
  "q",
  "user",
  "api_key",
  "client",
  "request_id",
  "min_duration",
] as const satisfies readonly (keyof RequestFilters)[];

/** The filter that a group is chosen by. */
export const FILTER_OF: Record<Grouping, keyof RequestFilters> = {
  route: "route",
  user: "user",
  api_key: "api_key",
  client: "client",
  service: "service",
};

export function isMethod(text: string): boolean {
  return /^[A-Za-z]{1,20}$/.test(text);
}

export function isStatus(text: string): boolean {
  return /^[1-9](xx|\d\d)$/.test(text);
}

export function isDuration(text: string): boolean {
  return /^\d{1,9}(\.\d{1,9})?$/.test(text);
}

/** What the address of one request says. */
export interface RequestSearch {
  /** When it was answered, which makes finding it quick. */
  readonly at?: string;
}

export function requestSearch(query: Query): RequestSearch {
  return search<RequestSearch>({
    at: checked(query, "at", (at) => RFC3339.test(at) && !Number.isNaN(Date.parse(at))),
  });
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
