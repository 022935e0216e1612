// The address of the page of alerts, and how its filters change it.

import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import type { AlertsSearch } from "./address";

const route = getRouteApi("/shell/alerts");

type Change = { readonly [K in keyof AlertsSearch]?: AlertsSearch[K] | undefined };

/** What the address says, and how to say something else of it; what is undefined goes. */
export function useAlertsSearch(): [AlertsSearch, (change: Change) => void] {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = useCallback(
    (change: Change) =>
      void navigate({
        search: (search) => ({ ...search, ...change }) as AlertsSearch,
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  return [search, change];
}
