import { memo, type ReactNode, useEffect, useMemo, useRef } from "react";
import { useDensity } from "../app/density";
import { count } from "../format/format";
import { Icon } from "./Icon";
import { type Column, type Sorting, sortedBy } from "./sorting";
import { useWindow } from "./useWindow";

interface Props<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  /** Something is done with a row by a press anywhere on it; by keyboard, by a link or button in it. */
  readonly onOpen?: (row: T) => void;
  readonly isSelected?: (row: T) => boolean;
  readonly sorting?: Sorting | null;
  readonly onSort?: (sorting: Sorting | null) => void;
  /** How many rows there are in all, where not all are here yet. */
  readonly total?: number;
  /** Called when the last rows that are here come into sight. */
  readonly onEnd?: () => void;
  /** Told of the first and the last row that are in sight, as it is scrolled. */
  readonly onSight?: (first: number, last: number) => void;
  /** The most height that it takes: `max-h-[60vh]`, as it is when it is left out. */
  readonly className?: string;
}

const HEIGHTS = { comfortable: 37, compact: 29 };
const PADDING = { comfortable: "px-4 py-2", compact: "px-3 py-1" };
/** How many rows are drawn beyond what is in sight. */
const BEYOND = 12;

/** A table of any length: only the rows in sight are in the page. It scrolls by itself. */
export function DataTable<T>(props: Props<T>) {
  const { label, columns, rows, rowKey, onOpen, isSelected, sorting = null, onSort } = props;
  const { total = rows.length, onEnd, onSight, className = "max-h-[65vh]" } = props;
  const [density] = useDensity();
  const holder = useRef<HTMLElement>(null);
  const sorted = useMemo(() => sortedBy(rows, columns, sorting), [rows, columns, sorting]);
  const { first, end, before, after } = useWindow(holder, sorted.length, HEIGHTS[density], BEYOND);
  const isAtEnd = sorted.length > 0 && end >= sorted.length - BEYOND;
  useEffect(() => {
    if (isAtEnd && sorted.length < total) onEnd?.();
  }, [isAtEnd, sorted.length, total, onEnd]);
  useEffect(() => {
    if (end > first) onSight?.(first, end - 1);
  }, [first, end, onSight]);

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section ref={holder} aria-label={label} tabIndex={0} className={`overflow-auto ${className}`}>
      <table aria-rowcount={total + 1} className="w-full border-collapse">
        <thead className="sticky top-0 z-1 bg-surface">
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Head
                key={column.id}
                column={column}
                sorting={sorting}
                onSort={onSort}
                padding={PADDING[density]}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <Space height={before} columns={columns.length} />}
          {sorted.slice(first, end).map((row, place) => (
            <Row
              key={rowKey(row)}
              row={row}
              index={first + place}
              columns={columns}
              isSelected={isSelected?.(row)}
              onOpen={onOpen}
              padding={PADDING[density]}
            />
          ))}
          {after > 0 && <Space height={after} columns={columns.length} />}
        </tbody>
      </table>
      {total > rows.length && (
        <p className="px-4 py-2 text-muted text-xs">
          {count(rows.length)} of {count(total)} are here; more come as you scroll.
        </p>
      )}
    </section>
  );
}

interface RowProps<T> {
  readonly row: T;
  readonly index: number;
  readonly columns: readonly Column<T>[];
  readonly isSelected: boolean | undefined;
  readonly onOpen: ((row: T) => void) | undefined;
  readonly padding: string;
}

/** A row. Those that stay in sight are not drawn anew at each step of a scroll. */
const Row = memo(function Row<T>({ row, index, columns, isSelected, onOpen, padding }: RowProps<T>) {
  return (
    <tr
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      onClick={onOpen && ((event) => isOnItself(event.target) && onOpen(row))}
      className={`h-px border-line border-t hover:bg-raised aria-selected:bg-raised ${onOpen ? "cursor-pointer" : ""}`}
    >
      {columns.map((column) => (
        <td
          key={column.id}
          className={`whitespace-nowrap ${padding} ${column.isNumber ? "text-right tabular-nums" : ""} ${column.className ?? ""}`}
        >
          {column.cell(row)}
        </td>
      ))}
    </tr>
  );
}) as <T>(props: RowProps<T>) => ReactNode;

/** A press on a link or a button in a row is its own. */
function isOnItself(target: EventTarget): boolean {
  return target instanceof Element && target.closest("a, button, input, label") === null;
}

function Space({ height, columns }: { readonly height: number; readonly columns: number }) {
  return (
    <tr>
      <td colSpan={columns} style={{ height, padding: 0 }} />
    </tr>
  );
}

interface HeadProps<T> {
  readonly column: Column<T>;
  readonly sorting: Sorting | null;
  readonly onSort: ((sorting: Sorting | null) => void) | undefined;
  readonly padding: string;
}

const UP = "M12 19V5M6 11l6-6 6 6";
const DOWN = "M12 5v14M6 13l6 6 6-6";

function Head<T>({ column, sorting, onSort, padding }: HeadProps<T>) {
  const isBy = sorting?.column === column.id;
  const look = `whitespace-nowrap font-medium text-muted text-xs ${column.isNumber ? "text-right" : "text-left"} ${padding}`;
  if (!column.sort || !onSort) return <th className={look}>{column.head}</th>;
  // The largest first, then the smallest, then as they came.
  const next = !isBy
    ? { column: column.id, isDown: true }
    : sorting.isDown
      ? { ...sorting, isDown: false }
      : null;
  return (
    <th className={look} aria-sort={!isBy ? "none" : sorting.isDown ? "descending" : "ascending"}>
      <button
        type="button"
        onClick={() => onSort(next)}
        className={`inline-flex items-center gap-1 hover:text-ink ${isBy ? "text-ink" : ""}`}
      >
        {column.head}
        {isBy && <Icon path={sorting.isDown ? DOWN : UP} className="size-3" />}
      </button>
    </th>
  );
}
