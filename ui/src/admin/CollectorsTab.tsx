import { useQuery } from "@tanstack/react-query";
import type { Collector, Probe } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import type { Column } from "../components/sorting";
import { count, ratio, seconds } from "../format/format";
import { ColumnTable } from "./ColumnTable";
import { collectorsQuery, probesQuery } from "./queries";

/** What looks at hosts, queues and services, and whether that works. */
export function CollectorsTab() {
  const collectors = useQuery(collectorsQuery);
  const probes = useQuery(probesQuery);
  const down = collectors.data?.items.filter(({ up, absent }) => !up && !absent).length ?? 0;
  return (
    <>
      <Panel title="Collectors" aside={collectors.data && `${down} of ${collectors.data.total} fail`}>
        <Shown query={collectors}>
          {(items: readonly Collector[]) => (
            <ColumnTable
              label="Collectors"
              columns={COLLECTORS}
              rows={items}
              rowKey={({ name, target }) => `${name} ${target}`}
            />
          )}
        </Shown>
      </Panel>
      <Panel title="Probes" aside="services that are asked again and again">
        <Shown query={probes}>
          {(items: readonly Probe[]) =>
            items.length === 0 ? (
              <Empty title="No service is probed">
                Name one in watchkeeper.toml, as <code>[[collect.http]]</code> and the like.
              </Empty>
            ) : (
              <ColumnTable
                label="Probes"
                columns={PROBES}
                rows={items}
                rowKey={({ kind, probe }) => `${kind} ${probe}`}
              />
            )
          }
        </Shown>
      </Panel>
    </>
  );
}

interface ShownProps<T> {
  readonly query: {
    readonly data: { readonly items: readonly T[] } | undefined;
    readonly error: Error | null;
    readonly refetch: () => unknown;
  };
  readonly children: (items: readonly T[]) => React.JSX.Element;
}

function Shown<T>({ query, children }: ShownProps<T>) {
  if (query.data) return children(query.data.items);
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className="p-4">
      <Loading className="h-40" />
    </div>
  );
}

function Why({ bad, text }: { readonly bad: boolean; readonly text: string | null | undefined }) {
  if (!text) return <>–</>;
  return (
    <span className={`block min-w-72 whitespace-normal wrap-anywhere ${bad ? "text-bad" : "text-muted"}`}>
      {text}
    </span>
  );
}

const COLLECTORS: readonly Column<Collector>[] = [
  {
    id: "state",
    head: "State",
    cell: ({ up, absent }) => (
      <Badge tone={up ? "good" : absent ? "idle" : "bad"}>
        {up ? "works" : absent ? "nothing to watch" : "fails"}
      </Badge>
    ),
  },
  { id: "name", head: "Collector", cell: ({ name }) => name, className: "font-medium" },
  {
    id: "target",
    head: "Looks at",
    cell: ({ target }) => <span title={target}>{target}</span>,
    className: "max-w-72 truncate",
  },
  { id: "last", head: "Last success", cell: ({ last_success }) => <Ago time={last_success} /> },
  { id: "took", head: "Took", cell: ({ duration_seconds }) => seconds(duration_seconds), isNumber: true },
  { id: "every", head: "Every", cell: ({ interval_seconds }) => seconds(interval_seconds), isNumber: true },
  { id: "runs", head: "Passes", cell: ({ runs }) => count(runs), isNumber: true },
  { id: "errors", head: "Failed", cell: ({ errors }) => count(errors), isNumber: true },
  {
    id: "why",
    head: "What is wrong",
    cell: ({ last_error, remark, absent }) => (
      <Why bad={last_error != null && !absent} text={last_error ?? remark} />
    ),
  },
];

const PROBES: readonly Column<Probe>[] = [
  {
    id: "state",
    head: "State",
    cell: ({ up }) => <Badge tone={up ? "good" : "bad"}>{up ? "up" : "down"}</Badge>,
  },
  { id: "probe", head: "Probe", cell: ({ probe }) => probe, className: "max-w-64 truncate font-medium" },
  { id: "kind", head: "Kind", cell: ({ kind }) => kind },
  { id: "target", head: "Asks", cell: ({ target }) => target, className: "max-w-64 truncate" },
  { id: "since", head: "Since", cell: ({ since }) => <Ago time={since} /> },
  { id: "checked", head: "Last asked", cell: ({ checked_at }) => <Ago time={checked_at} /> },
  { id: "took", head: "Took", cell: ({ latency_seconds }) => seconds(latency_seconds), isNumber: true },
  { id: "5m", head: "Up, 5 min", cell: ({ availability }) => ratio(availability["5m"], 1), isNumber: true },
  { id: "1h", head: "1 h", cell: ({ availability }) => ratio(availability["1h"], 1), isNumber: true },
  { id: "24h", head: "24 h", cell: ({ availability }) => ratio(availability["24h"], 1), isNumber: true },
  {
    id: "why",
    head: "Why not, or why not last",
    cell: ({ reason, last_failure_reason }) => (
      <Why bad={reason != null} text={reason ?? last_failure_reason} />
    ),
  },
];
