import type { Worker } from "../api/types";
import { Button } from "../components/Button";
import { FilterSelect } from "../components/FilterSelect";
import { SearchField } from "../components/SearchField";
import type { WorkersSearch } from "./address";
import { STATUSES } from "./status";

interface Props {
  readonly workers: readonly Worker[];
  readonly search: WorkersSearch;
  readonly onChange: (search: WorkersSearch) => void;
}

/** Chooses among workers. */
export function WorkerFilters({ workers, search, onChange }: Props) {
  const set = (name: keyof WorkersSearch) => (value: string) => {
    const { [name]: _old, ...rest } = search;
    onChange(value === "" ? rest : { ...rest, [name]: value });
  };
  const isNarrowed = search.q ?? search.status ?? search.capability ?? search.queue;
  return (
    <search className="flex flex-wrap items-center gap-2 px-4 pb-3">
      <SearchField label="Text in the id, host or service" value={search.q ?? ""} onChange={set("q")} />
      <FilterSelect label="Status" value={search.status} values={STATUSES} onChange={set("status")} />
      <FilterSelect
        label="Capability"
        value={search.capability}
        values={distinct(workers.flatMap(({ capability }) => capability ?? []))}
        onChange={set("capability")}
      />
      <FilterSelect
        label="Queue"
        value={search.queue}
        values={distinct(workers.flatMap(({ queues }) => queues))}
        onChange={set("queue")}
      />
      {isNarrowed !== undefined && (
        <Button onClick={() => onChange(search.sort === undefined ? {} : { sort: search.sort })}>
          Show all
        </Button>
      )}
    </search>
  );
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}
