import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import type { LogRecord } from "../api/types";
import { Empty, Failure, Loading } from "../components/Notices";
import { count } from "../format/format";
import { isLive } from "../time/range";
import { useTimeRange } from "../time/useTimeRange";
import { LineList, type Row } from "./LineList";
import { linesQuery } from "./queries";

interface Props {
  readonly q: string;
  readonly order: "newest" | "oldest";
  /** How many there are in all, where it is known. */
  readonly total: number | undefined;
  readonly details: (line: LogRecord) => ReactNode;
}

/** Lines that are stored, page by page as one scrolls. */
export function StoredLines({ q, order, total, details }: Props) {
  const range = useTimeRange();
  const [isRead, setRead] = useState(false);
  const lines = useInfiniteQuery(linesQuery(q, range, order, isRead));
  const { data, fetchNextPage, hasNextPage, isFetchingNextPage } = lines;
  const rows = useMemo<readonly Row[]>(
    () =>
      (data?.pages ?? []).flatMap(({ items }) =>
        items.map((line) => ({ key: `${line.time} ${line.id}`, line })),
      ),
    [data],
  );
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (lines.error && !data) return <Failure error={lines.error} retry={() => void lines.refetch()} />;
  if (!data) return <Loading className="m-3 h-96" />;
  if (rows.length === 0) {
    return (
      <Empty title="No line of this time is found">
        {q === ""
          ? "Lines come by OpenTelemetry, Loki, syslog, the journal, or from files that [[logs]] in the configuration names."
          : "A longer range of time, or fewer terms, may find some."}
      </Empty>
    );
  }
  return (
    <>
      <LineList
        key={`${q} ${order} ${range.from} ${range.to}`}
        label="Lines"
        rows={rows}
        details={details}
        onEnd={more}
        onRead={setRead}
      />
      <p className="flex min-h-8 items-center justify-between gap-3 border-line border-t px-3 text-muted text-xs">
        <span>
          {count(rows.length)}
          {total !== undefined && total > rows.length && ` of ${count(total)}`} lines are here
          {hasNextPage && "; more come as you scroll"}
        </span>
        {isRead && isLive(range) && order === "newest" && (
          <button
            type="button"
            onClick={() => void lines.refetch()}
            className="min-h-6 underline-offset-2 hover:underline"
          >
            Held while you read. Ask again
          </button>
        )}
      </p>
    </>
  );
}
