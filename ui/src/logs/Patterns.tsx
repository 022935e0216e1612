import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { LogPattern } from "../api/types";
import { Ago } from "../components/Ago";
import { DataTable } from "../components/DataTable";
import { Dot } from "../components/Dot";
import { Empty, Failure, Loading } from "../components/Notices";
import type { Column } from "../components/sorting";
import { count, ratio } from "../format/format";
import { withTerm } from "../search/terms";
import { useTimeRange } from "../time/useTimeRange";
import { placeText } from "./address";
import { levelTone } from "./levels";
import { templateQuery } from "./patternQuery";
import { patternsQuery } from "./queries";

interface Props {
  readonly q: string;
  /** Shows the lines of a search. */
  readonly onLines: (q: string) => void;
  readonly onAround: (line: string) => void;
}

/** What the lines say, by template. */
export function Patterns({ q, onLines, onAround }: Props) {
  const range = useTimeRange();
  const patterns = useQuery(patternsQuery(q, range));
  const columns = useMemo(() => columnsFor(q, onLines, onAround), [q, onLines, onAround]);
  const { data, error } = patterns;
  if (!data) {
    return error ? (
      <Failure error={error} retry={() => void patterns.refetch()} />
    ) : (
      <Loading className="m-3 h-96" />
    );
  }
  if (data.items.length === 0)
    return <Empty title="No line of this time is found">A longer range of time may have some.</Empty>;
  return (
    <>
      <DataTable label="Patterns" columns={columns} rows={data.items} rowKey={({ template }) => template} />
      <p className="border-line border-t px-4 py-2 text-muted text-xs">
        {data.exact ? "" : "More than "}
        {count(data.distinct)} patterns of {count(data.total)} lines
        {data.other > 0 && `; ${count(data.other)} lines have others than these`}
        {data.without > 0 && `; ${count(data.without)} lines have no message`}
      </p>
    </>
  );
}

function columnsFor(
  q: string,
  onLines: (q: string) => void,
  onAround: (line: string) => void,
): readonly Column<LogPattern>[] {
  return [
    { id: "count", head: "Lines", isNumber: true, cell: (pattern) => count(pattern.count) },
    { id: "share", head: "Share", isNumber: true, cell: ({ share }) => ratio(share, share < 0.1 ? 1 : 0) },
    { id: "levels", head: "Levels", cell: ({ levels }) => <Levels levels={levels} /> },
    {
      id: "template",
      head: "Pattern",
      className: "w-full min-w-64 max-w-0",
      cell: (pattern) => (
        <button
          type="button"
          title={`For example: ${pattern.example.message}`}
          onClick={() => onLines(withTerm(q, templateQuery(pattern.template)))}
          className="block min-h-6 w-full truncate text-left font-mono text-[12.5px] hover:underline"
        >
          <Template text={pattern.template} />
        </button>
      ),
    },
    { id: "first", head: "First", isNumber: true, cell: ({ first_seen }) => <Ago time={first_seen} /> },
    {
      id: "last",
      head: "Last",
      isNumber: true,
      cell: ({ last_seen, example }) => (
        <button
          type="button"
          className="min-h-6 hover:underline"
          onClick={() => onAround(placeText(example))}
        >
          <Ago time={last_seen} />
        </button>
      ),
    },
  ];
}

/** A template with its places stepping back. */
function Template({ text }: { readonly text: string }) {
  const parts = text.split(/(<(?:num|time|hex|uuid|id|ip|url|path|quoted|\*)>)/);
  return parts.map((part, place) =>
    place % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text, which do not move
      <span key={place} className="text-muted">
        {part}
      </span>
    ) : (
      part
    ),
  );
}

function Levels({ levels }: { readonly levels: LogPattern["levels"] }) {
  return (
    <span className="flex gap-2.5">
      {Object.entries(levels).map(([level, amount]) => (
        <span key={level} className="inline-flex items-center gap-1 text-xs">
          <Dot tone={levelTone(level)} />
          {level} {Object.keys(levels).length > 1 && count(amount)}
        </span>
      ))}
    </span>
  );
}
