// In which time zone times are shown: the browser's own, or UTC.

import { preference } from "../app/preference";

export type Zone = "local" | "utc";

const zone = preference<Zone>("zone", ["local", "utc"], () => "local");

/** The zone, and how to choose another. */
export function useZone(): [Zone, (zone: Zone) => void] {
  return [zone.use(), zone.set];
}

/** Its name for people: `UTC`, `Europe/Berlin`. */
export function zoneName(zone: Zone): string {
  return zone === "utc" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
}
