import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";

interface Props<T> {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly query: UseQueryResult<T>;
  readonly children: (data: T) => ReactNode;
}

/** A panel of what a query brings. */
export function Sums<T>({ title, aside, query, children }: Props<T>) {
  return (
    <Panel title={title} aside={aside}>
      {query.data !== undefined ? (
        children(query.data)
      ) : query.error ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : (
        <div className="p-4">
          <Loading className="h-32" />
        </div>
      )}
    </Panel>
  );
}

interface NameProps {
  readonly isChosen: boolean;
  readonly onPress: () => void;
  readonly children: ReactNode;
}

/** A name in a table that shows its jobs when it is pressed. */
export function NameButton({ isChosen, onPress, children }: NameProps) {
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={onPress}
      className="max-w-full truncate rounded underline decoration-line-strong underline-offset-2 hover:decoration-ink aria-pressed:font-semibold"
    >
      {children}
    </button>
  );
}

/** A growth with its sign; the colour of trouble where it is not given back. */
export function signed(value: number | null, show: (value: number) => string): string {
  if (value === null) return "–";
  return value > 0 ? `+${show(value)}` : show(value);
}
