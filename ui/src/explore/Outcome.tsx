import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "../components/Button";
import { Loading } from "../components/Notices";

interface Props<T> {
  readonly query: UseQueryResult<T>;
  readonly children: (data: T) => ReactNode;
}

/** What became of a query: its result, why it failed, or the place of what is to come. */
export function Outcome<T>({ query, children }: Props<T>) {
  if (query.error) {
    return (
      <div
        role="alert"
        className="grid justify-items-start gap-2 rounded-xl border border-line bg-surface px-4 py-4 shadow-panel"
      >
        <p className="font-medium text-bad">The query failed</p>
        <p className="max-w-full whitespace-pre-wrap wrap-anywhere font-mono text-[13px]">
          {query.error.message}
        </p>
        <Button onClick={() => void query.refetch()} disabled={query.isFetching}>
          Try again
        </Button>
      </div>
    );
  }
  return query.data === undefined ? <Loading className="h-80" /> : children(query.data);
}
