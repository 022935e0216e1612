// What is asked of single calls of models.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { literal, sql, within } from "../api/sql";
import type { LlmCall } from "../api/types";
import type { TimeRange } from "../time/range";
import { refreshOf, spanNow } from "../time/useTimeRange";

/** How many of the newest calls are listed. */
export const CALLS = 500;

/** The newest calls of a range. */
export function callsQuery(range: TimeRange, model: string | undefined, failed: boolean) {
  return queryOptions({
    queryKey: ["llm", "calls", range, model, failed],
    queryFn: () => {
      const chosen = model === undefined ? "" : ` AND model = ${literal(model)}`;
      const wrong = failed ? " AND error_message IS NOT NULL" : "";
      return sql<LlmCall>(
        `SELECT * FROM llm_calls WHERE ${within(spanNow(range))}${chosen}${wrong} ORDER BY time DESC LIMIT ${CALLS}`,
        CALLS,
      );
    },
    placeholderData: keepPreviousData,
    refetchInterval: refreshOf(range),
  });
}
