import type { ReactNode } from "react";
import { Failure, Loading } from "../../../components/Notices";

interface Query<T> {
  readonly data: T | undefined;
  readonly error: Error | null;
  readonly refetch: () => unknown;
}

interface Props<T> {
  readonly query: Query<T>;
  readonly children: (data: T) => ReactNode;
}

/** What became of a question about a job: its answer, why there is none, or the place of what is to come. */
export function Part<T>({ query, children }: Props<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className="p-4">
      <Loading className="h-32" />
    </div>
  );
}
