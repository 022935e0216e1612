import type { Column } from "../components/sorting";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";

interface Props<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
}

/** A short table, all of which is in the page: its rows may have any height. */
export function ColumnTable<T>({ label, columns, rows, rowKey }: Props<T>) {
  return (
    <Table label={label}>
      <thead>
        <tr>
          {columns.map(({ id, head, isNumber }) => (
            <th key={id} className={isNumber ? NUMBER_HEAD : HEAD}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)} className="border-line border-t align-top">
            {columns.map(({ id, cell, isNumber, className = "" }) => (
              <td key={id} className={`${isNumber ? NUMBER : CELL} ${className}`}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
