import { Empty } from "../components/Notices";
import { Panel } from "../components/Panel";
import { HEAD, NUMBER_HEAD, Table } from "../components/Table";
import { count } from "../format/format";
import type { Row, Rows } from "./rows";

/** Series and their values at one time. */
export function TableResult({ rows: { rows, more } }: { readonly rows: Rows }) {
  if (rows.length === 0) {
    return (
      <Panel title="Table">
        <Empty title="No series at this time">
          Nothing that the expression selects has a value then. Is the name right?
        </Empty>
      </Panel>
    );
  }
  const all = rows.length + more;
  return (
    <Panel title="Table" aside={`${count(all)} ${all === 1 ? "row" : "rows"}`}>
      <Table label="Result">
        <thead>
          <tr>
            <th className={HEAD}>Series</th>
            <th className={NUMBER_HEAD}>Value</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <TableRow key={row.name} row={row} />
          ))}
        </tbody>
      </Table>
      {more > 0 && <p className="px-4 pb-3 text-muted">{count(more)} more are not shown.</p>}
    </Panel>
  );
}

function TableRow({ row: { name, values, more } }: { readonly row: Row }) {
  return (
    <tr className="border-line border-t align-top">
      <td className="min-w-48 wrap-anywhere px-4 py-2 font-mono text-[13px]">{name}</td>
      <td className="px-4 py-2 text-right tabular-nums">
        {values.map((value) => (
          <div key={value} className="whitespace-pre">
            {value}
          </div>
        ))}
        {more > 0 && <div className="text-muted">and {count(more)} older ones</div>}
      </td>
    </tr>
  );
}
