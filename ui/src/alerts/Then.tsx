import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { AlertContext, AlertDetail } from "../api/types";
import { Choice } from "../components/Choice";
import { Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { Time } from "../components/Time";
import { MINUTES, type Minutes } from "./address";
import { contextQuery } from "./queries";
import { CallsThen, JobsThen, LogsThen, TracesThen } from "./thenTables";

const route = getRouteApi("/shell/alerts/$id");

/** What else there was around the beginning of an alert: failed jobs, logs, traces, calls of models. */
export function Then({ alert }: { readonly alert: AlertDetail }) {
  const { minutes = "15" } = route.useSearch();
  const navigate = route.useNavigate();
  const context = useQuery(contextQuery(alert.id, alert.active_at, minutes));
  const choose = (minutes: Minutes) =>
    void navigate({ search: (search) => ({ ...search, minutes }), replace: true, resetScroll: false });
  return (
    <Panel
      title="What else there was then"
      aside={
        <Choice
          label="How far around its beginning"
          value={minutes}
          options={MINUTES.map((value) => ({ value, text: `±${value} min`, short: `±${value}` }))}
          onChange={choose}
        />
      }
    >
      {context.data ? (
        <Tables context={context.data} />
      ) : context.error ? (
        <Failure error={context.error} retry={() => void context.refetch()} />
      ) : (
        <div className="p-4">
          <Loading className="h-40" />
        </div>
      )}
    </Panel>
  );
}

function Tables({ context }: { readonly context: AlertContext }) {
  const { from, to, subject } = context;
  const of = Object.entries(subject).flatMap(([name, value]) =>
    value ? [`${name.replaceAll("_", " ")} ${value}`] : [],
  );
  return (
    <div className="grid grid-cols-1 gap-3 pb-3">
      <p className="wrap-anywhere px-4 text-muted text-xs">
        From <Time at={from} /> to <Time at={to} />, of {of.length > 0 ? of.join(", ") : "everything"}
      </p>
      <JobsThen {...context.jobs} />
      <LogsThen {...context.logs} from={from} to={to} />
      <TracesThen {...context.traces} from={from} to={to} />
      <CallsThen {...context.llm_calls} />
    </div>
  );
}
