import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { sortingOf, sortingText } from "../address/sorting";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { DataTable } from "../components/DataTable";
import { DocumentLink } from "../components/EntityLink";
import { Empty, Failure, Loading } from "../components/Notices";
import { PageHead } from "../components/PageHead";
import { Panel } from "../components/Panel";
import { SearchField } from "../components/SearchField";
import type { Column } from "../components/sorting";
import { bytes, count, seconds } from "../format/format";
import { relativeName } from "../time/range";
import { useTimeRange } from "../time/useTimeRange";
import { DOCUMENT_COLUMNS, type DocumentsSearch } from "./address";
import { type DocumentRow, documentsQuery, MAX_DOCUMENTS } from "./queries";

const route = getRouteApi("/shell/documents");

type Named = Column<DocumentRow> & { readonly id: (typeof DOCUMENT_COLUMNS)[number] };

const COLUMNS: readonly Named[] = [
  {
    id: "document",
    head: "Document",
    cell: (row) => (
      <>
        <DocumentLink id={row.id} />
        {row.name !== null && <span className="pl-2">{row.name}</span>}
      </>
    ),
    sort: (row) => row.id,
    className: "max-w-96 truncate",
  },
  {
    id: "state",
    head: "State",
    cell: (row) => <State row={row} />,
    sort: (row) => Number(row.failed > 0) * 2 + Number(row.open > 0),
  },
  number("jobs", "Jobs", (row) => row.jobs),
  number("attempts", "Attempts", (row) => row.attempts),
  {
    ...number("failures", "Failures", (row) => row.failures),
    cell: (row) => <span className={row.failures > 0 ? "text-bad" : ""}>{count(row.failures)}</span>,
  },
  number("pages", "Pages", (row) => row.pages),
  number("memory", "Peak memory", (row) => row.memoryPeak, bytes),
  number("dwell", "In the pipeline", (row) => dwell(row), seconds),
  moment("first", "First heard of", (row) => row.first),
  moment("last", "Last heard of", (row) => row.last),
];

function number(
  id: Named["id"],
  head: string,
  value: (row: DocumentRow) => number | null,
  show: (value: number | null) => string = count,
): Named {
  return { id, head, isNumber: true, sort: value, cell: (row) => show(value(row)) };
}

function moment(id: Named["id"], head: string, time: (row: DocumentRow) => string | null): Named {
  return {
    id,
    head,
    isNumber: true,
    sort: (row) => Date.parse(time(row) ?? "") || null,
    cell: (row) => <Ago time={time(row)} />,
  };
}

/** From the first that was heard of it to the last, in seconds. */
function dwell({ first, last }: DocumentRow): number | null {
  const length = (Date.parse(last ?? "") - Date.parse(first ?? "")) / 1000;
  return Number.isFinite(length) ? length : null;
}

function State({ row }: { readonly row: DocumentRow }) {
  if (row.failed > 0) return <Badge tone="bad">{`${count(row.failed)} failed`}</Badge>;
  if (row.open > 0) return <Badge tone="note">{`${count(row.open)} open`}</Badge>;
  return <Badge tone="good">done</Badge>;
}

/** Documents that were worked on, and the one that somebody looks for. */
export function DocumentsPage() {
  const range = useTimeRange();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const q = (search.q ?? "").trim();
  const query = useQuery(documentsQuery(q, range));
  const go = (next: DocumentsSearch) => void navigate({ search: next, replace: true, resetScroll: false });
  const documents = query.data?.documents ?? [];
  const { q: _q, ...unsearched } = search;
  return (
    <div className="grid grid-cols-1 gap-5">
      <PageHead title="Documents">
        Each document across all its jobs and queues. A whole id is found in all that is kept, a part of an id
        or name in the time that is shown.
      </PageHead>
      <Panel
        title={q === "" ? "Worked on of late" : "Found"}
        aside={
          query.data &&
          (query.data.truncated
            ? `the newest ${count(MAX_DOCUMENTS)}, ${relativeName(range) ?? "in the time that is shown"}`
            : `${count(documents.length)}, ${relativeName(range) ?? "in the time that is shown"}`)
        }
      >
        <div className="px-4 pb-3">
          <SearchField
            label="Id or name of a document"
            value={search.q ?? ""}
            onChange={(text) => go(text.trim() === "" ? unsearched : { ...unsearched, q: text })}
            className="w-full max-w-md"
          />
        </div>
        {query.error && !query.data ? (
          <Failure error={query.error} retry={() => void query.refetch()} />
        ) : !query.data ? (
          <div className="p-4">
            <Loading className="h-64" />
          </div>
        ) : documents.length === 0 ? (
          <Empty title={q === "" ? "No document was worked on in this time" : "No document is like this"}>
            {q === ""
              ? "Jobs name their document by document_id in their events. A longer range may show some."
              : "Names are known where applications send them as the attribute file_name or title. A longer range may help."}
          </Empty>
        ) : (
          <DataTable
            label="Documents"
            columns={COLUMNS}
            rows={documents}
            rowKey={({ id }) => id}
            onOpen={({ id }) => void navigate({ to: "/documents/$id", params: { id } })}
            sorting={sortingOf(search.sort, DOCUMENT_COLUMNS)}
            onSort={(sorting) => {
              const { sort: _sort, ...rest } = search;
              const text = sortingText(sorting);
              go({ ...rest, ...(text ? { sort: text } : {}) });
            }}
          />
        )}
      </Panel>
    </div>
  );
}
