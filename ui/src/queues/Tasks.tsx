import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { sortingOf, sortingText } from "../address/sorting";
import { useMayOperate } from "../api/session";
import type { QueueDetail } from "../api/types";
import { Button } from "../components/Button";
import { Choice } from "../components/Choice";
import { DataTable } from "../components/DataTable";
import { Empty } from "../components/Notices";
import { Panel } from "../components/Panel";
import { count } from "../format/format";
import { STATE_NAMES, STATES, type State, TASK_COLUMNS } from "./address";
import { OperationDialog } from "./operation/OperationDialog";
import { openJobsQuery } from "./queries";
import { type KnownTask, taskColumns } from "./taskColumns";

const route = getRouteApi("/shell/queues/$name");

/** The first tasks of a queue, by state, and what operators can do with them. */
export function Tasks({ queue }: { readonly queue: QueueDetail }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const mayOperate = useMayOperate();
  const jobs = useQuery(openJobsQuery(queue.queue)).data?.jobs;
  const [chosen, choose] = useState<ReadonlySet<string>>(new Set());
  const [operates, operate] = useState(false);
  const state = search.state ?? fullest(queue);
  const amount = queue.depth[state] ?? 0;

  const tasks = useMemo(() => {
    const byId = new Map(jobs?.map((job) => [job.job_id, job]));
    return queue.tasks
      .filter((task) => task.state === state)
      .map((task): KnownTask => ({ ...task, job: byId.get(task.id) }));
  }, [queue.tasks, jobs, state]);
  const columns = useMemo(() => {
    const toggle = (id: string) =>
      choose((ids) => new Set(ids.has(id) ? [...ids].filter((other) => other !== id) : [...ids, id]));
    return taskColumns(mayOperate && queue.observed ? { chosen, toggle } : null);
  }, [chosen, mayOperate, queue.observed]);
  const go = (change: { readonly state?: State; readonly sort?: string }) =>
    void navigate({ search: { ...search, ...change }, replace: true, resetScroll: false });

  return (
    <Panel
      title="Tasks"
      aside={tasks.length < amount ? `the first ${count(tasks.length)} of ${count(amount)}` : undefined}
    >
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 pb-3">
        <Choice
          label="State of the tasks"
          value={state}
          options={STATES.map((value) => {
            const text = `${STATE_NAMES[value]} ${count(queue.depth[value] ?? 0)}`;
            return { value, text, short: text };
          })}
          onChange={(next) => {
            choose(new Set());
            go({ state: next });
          }}
        />
        {queue.observed &&
          (mayOperate ? (
            <Button onClick={() => operate(true)} disabled={amount === 0}>
              Queue again or remove …
            </Button>
          ) : (
            <span className="text-muted text-xs">Operators can queue tasks again, and remove them.</span>
          ))}
      </div>
      {tasks.length > 0 ? (
        <DataTable
          label={`Tasks, ${STATE_NAMES[state].toLowerCase()}`}
          columns={columns}
          rows={tasks}
          rowKey={(task) => task.id}
          sorting={sortingOf(search.sort, TASK_COLUMNS)}
          onSort={(sorting) => {
            const { sort: _sort, ...rest } = search;
            const text = sortingText(sorting);
            void navigate({
              search: { ...rest, ...(text ? { sort: text } : {}) },
              replace: true,
              resetScroll: false,
            });
          }}
          className="max-h-[50vh]"
        />
      ) : (
        <Empty
          title={amount > 0 ? `${count(amount)} tasks are here, but none can be shown` : "No task is here"}
        >
          {amount > 0
            ? "Only their number is known: the queue is not read, or holds nothing that names them."
            : undefined}
        </Empty>
      )}
      {operates && (
        <OperationDialog
          queue={queue.queue}
          state={state}
          ids={[...chosen]}
          onClose={() => {
            operate(false);
            choose(new Set());
          }}
        />
      )}
    </Panel>
  );
}

/** The state that there is most to see of, at first those that wait. */
function fullest(queue: QueueDetail): State {
  return STATES.find((state) => (queue.depth[state] ?? 0) > 0) ?? "pending";
}
