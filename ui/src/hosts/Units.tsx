import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Badge } from "../components/Badge";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { count } from "../format/format";
import { matchers } from "../metrics/quantiles";
import { instantQuery } from "../metrics/queries";
import { useTimeRange } from "../time/useTimeRange";
import { rowsBy } from "./groups";

/** Services of systemd: whether they run, and how often they were started again. */
export function Units({ host }: { readonly host: string }) {
  const range = useTimeRange();
  const query = useQuery(
    instantQuery(`{__name__=~"unit_(active|failed|restarts_total)",${matchers({ host })}}`, range),
  );
  const rows = useMemo(() => (query.data ? [...rowsBy("unit", query.data)] : null), [query.data]);
  return (
    <Panel title="Services">
      {query.error && !rows ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !rows ? (
        <div className="p-4">
          <Loading className="h-16" />
        </div>
      ) : rows.length === 0 ? (
        <Empty title="No unit of systemd is watched">
          Units of watched processes are found by themselves where systemd runs; <code>[units] patterns</code>{" "}
          in the configuration adds others.
        </Empty>
      ) : (
        <Table label="Services">
          <thead>
            <tr>
              <th className={HEAD}>State</th>
              <th className={HEAD}>Unit</th>
              <th className={NUMBER_HEAD}>Restarts</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([unit, values]) => (
              <tr key={unit} className="border-line border-t">
                <td className={CELL}>
                  {values.unit_failed === 1 ? (
                    <Badge tone="bad">failed</Badge>
                  ) : (
                    <Badge tone={values.unit_active === 1 ? "good" : "idle"}>
                      {values.unit_active === 1 ? "active" : "not active"}
                    </Badge>
                  )}
                </td>
                <td className={CELL}>{unit}</td>
                <td className={NUMBER}>{count(values.unit_restarts_total)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
