import { getRouteApi, Link } from "@tanstack/react-router";
import { Panel } from "../components/Panel";

const route = getRouteApi("/shell/explore");

const EXAMPLES = [
  { expr: "queue_depth", text: "how many tasks wait, run, are delayed or dead, by queue" },
  { expr: "rate(jobs_total[5m])", text: "attempts a second over the last five minutes, by how they ended" },
  { expr: "worker_memory_bytes", text: "resident memory of each worker" },
];

/** Shown while no expression is asked for: what one could be. */
export function Introduction() {
  const search = route.useSearch();
  return (
    <Panel title="Nothing is asked for yet">
      <div className="grid grid-cols-1 gap-3 px-4 pt-1 pb-4">
        <p className="text-muted">
          Write an expression above to see what is stored of a metric, or begin with one of these:
        </p>
        <ul className="grid gap-2">
          {EXAMPLES.map(({ expr, text }) => (
            <li key={expr} className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5">
              <Link
                to="/explore"
                search={{ ...search, expr }}
                className="rounded-md border border-line-strong px-2 py-1 font-mono text-[13px] hover:bg-raised"
              >
                {expr}
              </Link>
              <span className="text-muted">{text}</span>
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}
