// How full the file systems of a host are.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Host } from "../api/types";
import { matchers } from "../metrics/quantiles";
import { instantQuery } from "../metrics/queries";
import { lastOf } from "../time/range";
import { type Rows, rowsBy } from "./groups";

/** Whatever time the page shows, these are of now. */
export const NOW = lastOf("5m");

/** From which share on it is a warning, and from which it is bad: as the shipped rules have it. */
export const CPU_LIMITS = [0.9, 0.98] as const;
export const MEMORY_LIMITS = [0.9, 0.95] as const;
export const DISK_LIMITS = [0.9, 0.95] as const;

export type Filesystem = Host["filesystems"][number];

/** A file system, and the share of it in use, of what programs can have at all. Null where that is not known. */
export interface Share {
  readonly filesystem: Filesystem;
  readonly share: number | null;
}

export function useShares(host: Host): readonly Share[] {
  const expr = `host_filesystem_usage_ratio{${matchers({ host: host.host })}}`;
  const answer = useQuery(instantQuery(expr, NOW)).data;
  return useMemo(
    () => sharesOf(host.filesystems, answer ? rowsBy("mountpoint", answer) : null),
    [host, answer],
  );
}

/** What the metric says of each; what is reserved for root counts neither as used nor as free there. */
export function sharesOf(filesystems: readonly Filesystem[], rows: Rows | null): readonly Share[] {
  return filesystems.map((filesystem) => ({
    filesystem,
    share: rows?.get(filesystem.mountpoint)?.host_filesystem_usage_ratio ?? null,
  }));
}

/** The one with the largest share in use; the first, where no share is known. */
export function fullest(shares: readonly Share[]): Share | undefined {
  return shares.toSorted((a, b) => (b.share ?? -1) - (a.share ?? -1))[0];
}
