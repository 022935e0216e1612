// Every view and its address. A view's address holds its whole state, so that it can be shared.
//
// Each view is loaded when it is first shown. A new view also goes into `VIEWS` in crates/server/src/routes/page.rs.

import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  parseSearchWith,
  redirect,
  stringifySearchWith,
} from "@tanstack/react-router";
import { oneOf, search, text } from "./address/read";
import { adminSearch } from "./admin/address";
import { alertSearch, alertsSearch } from "./alerts/address";
import { sessionQuery } from "./api/session";
import { Failed, NotFound } from "./app/Failed";
import { Shell } from "./app/Shell";
import { documentsSearch } from "./documents/address";
import { exploreSearch, prometheusSearch } from "./explore/address";
import { hostSearch } from "./hosts/address";
import { llmSearch } from "./llm/address";
import { localAddress } from "./login/address";
import { logsSearch } from "./logs/address";
import { requestSearch, requestsSearch } from "./requests/address";
import { keepRange, rangeSearch } from "./time/search";
import { traceSearch, tracesSearch } from "./traces/address";
import { mapSearch } from "./traces/map/address";
import { queueSearch, queuesSearch } from "./queues/address";
import { keepRange, rangeSearch } from "./time/search";
import { workersSearch } from "./workers/address";

interface Context {
  readonly client: QueryClient;
}

const root = createRootRouteWithContext<Context>()({ notFoundComponent: NotFound, errorComponent: Failed });

interface LoginSearch {
  /** Where to go after the login. */
  readonly next?: string;
  /** The token of a link that did not log in: it was used, or has expired. */
  readonly token?: string;
}

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: (search: Record<string, unknown>): LoginSearch => ({
    ...(typeof search.next === "string" ? { next: localAddress(search.next) } : {}),
    ...(search.token !== undefined ? { token: String(search.token) } : {}),
  }),
  beforeLoad: async ({ context, search }) => {
    if (!(await context.client.ensureQueryData(sessionQuery))) return;
    // Pages of the server, as runbooks are, can be the next as well: the browser loads it.
    throw redirect({ href: search.next ?? "/", reloadDocument: true });
  },
  component: lazyRouteComponent(() => import("./login/LoginPage"), "LoginPage"),
});

/** Everything that is shown to people who are logged in. */
const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  // Every view shows the same range of time, and links from one to another keep it.
  validateSearch: rangeSearch,
  search: { middlewares: [keepRange] },
  beforeLoad: async ({ context, location }) => {
    if (await context.client.ensureQueryData(sessionQuery)) return;
    throw redirect({ to: "/login", search: location.href === "/" ? {} : { next: location.href } });
  },
  component: Shell,
});

export interface OverviewSearch {
  /** The alert that is open. */
  readonly alert?: string;
  /** Whether all alerts are shown, and not the most urgent alone. */
  readonly alerts?: "all";
}

const overview = createRoute({
  getParentRoute: () => shell,
  path: "/",
  validateSearch: (query: Record<string, unknown>) =>
    search<OverviewSearch>({ alert: text(query, "alert"), alerts: oneOf(query, "alerts", ["all"]) }),
  component: lazyRouteComponent(() => import("./overview/OverviewPage"), "OverviewPage"),
});

const alerts = createRoute({
  getParentRoute: () => shell,
  path: "/alerts",
  validateSearch: alertsSearch,
  component: lazyRouteComponent(() => import("./alerts/AlertsPage"), "AlertsPage"),
});

const alert = createRoute({
  getParentRoute: () => shell,
  path: "/alerts/$id",
  validateSearch: alertSearch,
  component: lazyRouteComponent(() => import("./alerts/AlertPage"), "AlertPage"),
});

const admin = createRoute({
  getParentRoute: () => shell,
  path: "/admin",
  validateSearch: adminSearch,
  component: lazyRouteComponent(() => import("./admin/AdminPage"), "AdminPage"),
const queues = createRoute({
  getParentRoute: () => shell,
  path: "/queues",
  validateSearch: queuesSearch,
  component: lazyRouteComponent(() => import("./queues/QueuesPage"), "QueuesPage"),
});

const queue = createRoute({
  getParentRoute: () => shell,
  path: "/queues/$name",
  validateSearch: queueSearch,
  component: lazyRouteComponent(() => import("./queues/QueuePage"), "QueuePage"),
});

const workers = createRoute({
  getParentRoute: () => shell,
  path: "/workers",
  validateSearch: workersSearch,
  component: lazyRouteComponent(() => import("./workers/WorkersPage"), "WorkersPage"),
});

const worker = createRoute({
  getParentRoute: () => shell,
  path: "/workers/$id",
  component: lazyRouteComponent(() => import("./workers/WorkerPage"), "WorkerPage"),
});

const documents = createRoute({
  getParentRoute: () => shell,
  path: "/documents",
  validateSearch: documentsSearch,
  component: lazyRouteComponent(() => import("./documents/DocumentsPage"), "DocumentsPage"),
});

const document = createRoute({
  getParentRoute: () => shell,
  path: "/documents/$id",
  component: lazyRouteComponent(() => import("./documents/DocumentPage"), "DocumentPage"),
});

const explore = createRoute({
  getParentRoute: () => shell,
  path: "/explore",
  validateSearch: exploreSearch,
  component: lazyRouteComponent(() => import("./explore/ExplorePage"), "ExplorePage"),
});

const logs = createRoute({
  getParentRoute: () => shell,
  path: "/logs",
  validateSearch: logsSearch,
  component: lazyRouteComponent(() => import("./logs/LogsPage"), "LogsPage"),
});

const traces = createRoute({
  getParentRoute: () => shell,
  path: "/traces",
  validateSearch: tracesSearch,
  component: lazyRouteComponent(() => import("./traces/TracesPage"), "TracesPage"),
});

const serviceMap = createRoute({
  getParentRoute: () => shell,
  path: "/traces/map",
  validateSearch: mapSearch,
  component: lazyRouteComponent(() => import("./traces/map/MapPage"), "MapPage"),
});

const trace = createRoute({
  getParentRoute: () => shell,
  path: "/traces/$id",
  validateSearch: traceSearch,
  component: lazyRouteComponent(() => import("./traces/trace/TracePage"), "TracePage"),
const requests = createRoute({
  getParentRoute: () => shell,
  path: "/requests",
  validateSearch: requestsSearch,
  component: lazyRouteComponent(() => import("./requests/RequestsPage"), "RequestsPage"),
});

const request = createRoute({
  getParentRoute: () => shell,
  path: "/requests/$id",
  validateSearch: requestSearch,
  component: lazyRouteComponent(() => import("./requests/RequestPage"), "RequestPage"),
});

const llm = createRoute({
  getParentRoute: () => shell,
  path: "/llm",
  validateSearch: llmSearch,
  component: lazyRouteComponent(() => import("./llm/LlmPage"), "LlmPage"),
});

const hosts = createRoute({
  getParentRoute: () => shell,
  path: "/hosts",
  component: lazyRouteComponent(() => import("./hosts/HostsPage"), "HostsPage"),
});

const host = createRoute({
  getParentRoute: () => shell,
  path: "/hosts/$name",
  validateSearch: hostSearch,
  component: lazyRouteComponent(() => import("./hosts/HostPage"), "HostPage"),
});

/** Where links of Prometheus lead, as templates of alert rules make them. */
const graph = createRoute({
  getParentRoute: () => root,
  path: "/graph",
  beforeLoad: ({ location }) => {
    throw redirect({ to: "/explore", search: prometheusSearch(location.search), replace: true });
  },
});

const routeTree = root.addChildren([
  login,
  graph,
  shell.addChildren([overview, alerts, alert, explore, admin]),
  shell.addChildren([overview, logs, traces, serviceMap, trace, explore]),
  shell.addChildren([overview, requests, request, llm, hosts, host, explore]),
  shell.addChildren([overview, queues, queue, workers, worker, documents, document, explore]),
]);

export function createAppRouter(client: QueryClient) {
  return createRouter({
    routeTree,
    context: { client },
    defaultPreload: false,
    // Values are texts and not JSON, in which the id of an alert can be a number that is rounded.
    parseSearch: parseSearchWith((text) => text),
    stringifySearch: stringifySearchWith(JSON.stringify),
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
