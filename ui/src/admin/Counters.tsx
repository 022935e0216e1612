import { useQuery } from "@tanstack/react-query";
import { Badge } from "../components/Badge";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { count } from "../format/format";
import { instantQuery } from "../metrics/queries";
import { valuesOf } from "../metrics/values";
import { useTimeRange } from "../time/useTimeRange";

interface Props {
  readonly title: string;
  readonly aside: string;
  /** Which of Watchkeeper's own counters: a regular expression of their names. */
  readonly pattern: string;
  /** What of a name is not shown. */
  readonly strip: RegExp;
  /** Names of what should not happen. */
  readonly isFault: RegExp;
}

/** Counters that are not zero, what should not happen first; of the others it is said how many there are. */
export function Counters({ title, aside, pattern, strip, isFault }: Props) {
  const range = useTimeRange();
  const expr = `sum by (__name__) ({__name__=~${JSON.stringify(pattern)}})`;
  const query = useQuery({ ...instantQuery(expr, range), select: valuesOf });
  const all = (query.data ?? []).map(({ labels: { __name__: name = "" }, value }) => ({
    name: name.replaceAll(strip, "").replaceAll("_", " "),
    value,
    fault: isFault.test(name),
  }));
  const counted = all
    .filter(({ value }) => value > 0)
    .sort((a, b) => Number(b.fault) - Number(a.fault) || a.name.localeCompare(b.name));
  return (
    <Panel title={title} aside={aside}>
      {!query.data && query.error ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <div className="p-4">
          <Loading />
        </div>
      ) : all.length === 0 ? (
        <Empty title="Nothing is stored of this time">
          Watchkeeper stores what it counts of itself every few seconds.
        </Empty>
      ) : (
        <>
          {counted.length > 0 && (
            <Table label={title}>
              <thead>
                <tr>
                  <th className={HEAD}>What</th>
                  <th className={NUMBER_HEAD}>How often</th>
                  <th className={HEAD}>Worth a look?</th>
                </tr>
              </thead>
              <tbody>
                {counted.map(({ name, value, fault }) => (
                  <tr key={name} className="border-line border-t">
                    <td className={CELL}>{name}</td>
                    <td className={NUMBER}>{count(value)}</td>
                    <td className={`${CELL} w-full`}>{fault && <Badge tone="warn">worth a look</Badge>}</td>
                  </tr>
                ))}
              </tbody>
            </Table>
          )}
          <p className="px-4 pb-3 text-muted text-xs">
            {all.length - counted.length} more are zero, {all.filter(({ fault }) => fault).length} of all are
            of what should not happen.
          </p>
        </>
      )}
    </Panel>
  );
}
