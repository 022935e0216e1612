import { useQuery } from "@tanstack/react-query";
import { Empty, Failure, Loading } from "../../components/Notices";
import { Panel } from "../../components/Panel";
import { brief, count } from "../../format/format";
import { moment } from "../../format/time";
import { useTimeRange } from "../../time/useTimeRange";
import { useZone } from "../../time/zone";
import type { JobsSearch } from "../address";
import { gridQuery } from "../queries";
import { GridCell } from "./GridCell";
import type { GridRow } from "./grid";
import { useArrows } from "./useArrows";

/** How jobs of each kind ended over the time that is shown. A press on a bucket lists its jobs. */
export function JobGrid({ filters }: { readonly filters: JobsSearch }) {
  const range = useTimeRange();
  const query = useQuery(gridQuery({ kind: filters.kind, queue: filters.queue }, range));
  const first = query.data?.[0]?.cells[0];
  return (
    <Panel
      title="How they ended, by kind"
      aside={first ? `each column is ${brief(first.end - first.start)}; a press lists its jobs` : undefined}
    >
      {query.data === undefined && query.error ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <div className="p-4">
          <Loading className="h-24" />
        </div>
      ) : query.data.length === 0 ? (
        <Empty title="No job ended in this time">
          Each attempt that ends counts, as jobs report theirs by events to POST /api/v1/events.
        </Empty>
      ) : (
        <Grid rows={query.data} filters={filters} />
      )}
    </Panel>
  );
}

/** Which columns have their time below them, where each is so wide. */
const LABELLED = 5;

function Grid({ rows, filters }: { readonly rows: readonly GridRow[]; readonly filters: JobsSearch }) {
  const [zone] = useZone();
  const { ref, onKeyDown } = useArrows();
  const cells = rows[0]?.cells ?? [];
  const isLong = (cells.at(-1)?.end ?? 0) - (cells[0]?.start ?? 0) > 2 * 86_400;
  return (
    <section aria-label="Jobs by kind and time" className="overflow-x-auto px-4 pb-3">
      <table ref={ref} onKeyDown={onKeyDown} className="w-full border-collapse">
        <caption className="sr-only">Arrow keys move between buckets.</caption>
        <tbody>
          {rows.map((row, place) => (
            <tr key={row.kind}>
              <th
                scope="row"
                className="sticky left-0 z-1 max-w-36 truncate bg-surface py-0.5 pr-3 text-left font-normal"
                title={row.kind}
              >
                {row.kind || "not said"}
              </th>
              {row.cells.map((cell, column) => (
                <td key={cell.end} className="min-w-6 p-px">
                  <GridCell
                    kind={row.kind}
                    cell={cell}
                    most={row.most}
                    filters={filters}
                    isEntry={place === 0 && column === row.cells.length - 1}
                  />
                </td>
              ))}
              <td className="whitespace-nowrap py-0.5 pl-3 text-right tabular-nums">
                {count(row.completed)}
                <span className={row.failed > 0 ? "pl-2 text-bad" : "pl-2 text-muted"}>
                  {count(row.failed)} failed
                </span>
              </td>
            </tr>
          ))}
          <tr className="text-muted text-xs">
            <td className="sticky left-0 z-1 bg-surface" />
            {cells.map((cell, column) => (
              <td key={cell.end} className="relative h-5 p-0">
                {column % LABELLED === 0 && column < cells.length - 2 && (
                  <span className="absolute top-0.5 left-0 whitespace-nowrap tabular-nums">
                    {moment(cell.start * 1000, zone, isLong ? "day" : "clock")}
                  </span>
                )}
              </td>
            ))}
            <td />
          </tr>
        </tbody>
      </table>
    </section>
  );
}
