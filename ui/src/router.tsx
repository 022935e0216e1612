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
import { sessionQuery } from "./api/session";
import { Failed, NotFound } from "./app/Failed";
import { Shell } from "./app/Shell";
import { exploreSearch, prometheusSearch } from "./explore/address";
import { jobSearch, jobsSearch } from "./jobs/address";
import { localAddress } from "./login/address";
import { memorySearch } from "./memory/address";
import { keepRange, rangeSearch } from "./time/search";

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

const jobs = createRoute({
  getParentRoute: () => shell,
  path: "/jobs",
  validateSearch: jobsSearch,
  component: lazyRouteComponent(() => import("./jobs/JobsPage"), "JobsPage"),
});

const job = createRoute({
  getParentRoute: () => shell,
  path: "/jobs/$id",
  validateSearch: jobSearch,
  component: lazyRouteComponent(() => import("./jobs/job/JobPage"), "JobPage"),
});

const memory = createRoute({
  getParentRoute: () => shell,
  path: "/memory",
  validateSearch: memorySearch,
  component: lazyRouteComponent(() => import("./memory/MemoryPage"), "MemoryPage"),
});

const explore = createRoute({
  getParentRoute: () => shell,
  path: "/explore",
  validateSearch: exploreSearch,
  component: lazyRouteComponent(() => import("./explore/ExplorePage"), "ExplorePage"),
});

/** Where links of Prometheus lead, as templates of alert rules make them. */
const graph = createRoute({
  getParentRoute: () => root,
  path: "/graph",
  beforeLoad: ({ location }) => {
    throw redirect({ to: "/explore", search: prometheusSearch(location.search), replace: true });
  },
});

const routeTree = root.addChildren([login, graph, shell.addChildren([overview, jobs, job, memory, explore])]);

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
