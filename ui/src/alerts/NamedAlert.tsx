import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ago } from "../components/Ago";
import { Button } from "../components/Button";
import { Failure, Loading } from "../components/Notices";
import { alertQuery, isUnknown } from "./queries";

interface Props {
  readonly id: string;
  /** Forgets the alert: the address names it no more. */
  readonly onDismiss: () => void;
}

/** What became of the alert that the address names, when it is not among those that are active. */
export function NamedAlert({ id, onDismiss }: Props) {
  const query = useQuery(alertQuery(id));
  const alert = query.data;
  if (!alert && !query.error) return <Loading className="mx-4 mb-3 h-9" />;
  if (!alert && !isUnknown(query.error))
    return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className="flex flex-wrap items-center justify-between gap-3 border-line border-t px-4 py-2.5">
      {alert ? (
        <p role="status">
          <Link to="/alerts/$id" params={{ id }} className="font-medium underline-offset-2 hover:underline">
            {alert.annotations.summary ?? alert.rule}
          </Link>{" "}
          is {alert.state}
          {alert.resolved_at && (
            <>
              {" "}
              <span className="text-muted">
                <Ago time={alert.resolved_at} />
              </span>
            </>
          )}
          .
        </p>
      ) : (
        <p role="status">
          There is no alert <code>{id}</code>. It may be too old to be kept, or the link is not whole.
        </p>
      )}
      <Button onClick={onDismiss}>Dismiss</Button>
    </div>
  );
}
