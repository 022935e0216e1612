// What an address says of the map of services.

import { type Query, search, text } from "../../address/read";

export interface MapSearch {
  /** The service that stands out. */
  readonly service?: string;
}

export function mapSearch(query: Query): MapSearch {
  return search<MapSearch>({ service: text(query, "service") });
}
