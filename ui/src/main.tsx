// The beginning: the theme, the cache of queries, the router.

import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client";
import { forgetSession } from "./api/session";
import { applyDensity } from "./app/density";
import { applyTheme } from "./app/theme";
import { createAppRouter } from "./router";
import "./styles.css";

applyTheme();
applyDensity();

/** Whoever is told to log in by any answer is logged out here, too. */
function onError(error: Error): void {
  if (error instanceof ApiError && error.status === 401) forgetSession(client);
}

const client = new QueryClient({
  queryCache: new QueryCache({ onError }),
  // A wrong password is a 401 as well, and says so in its form.
  mutationCache: new MutationCache({
    onError: (error, _variables, _context, mutation) => {
      if (mutation.options.mutationKey?.[0] !== "login") onError(error);
    },
  }),
  defaultOptions: {
    queries: {
      // Trying again helps when the server was away, and never when it said no.
      retry: (failures, error) =>
        failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
      staleTime: 1_000,
    },
  },
});

const router = createAppRouter(client);

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
