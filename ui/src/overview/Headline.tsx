import type { Overview } from "../api/types";
import { Dot } from "../components/Dot";
import { count, ratio } from "../format/format";
import { verdict } from "./verdict";

/** The page's title, the state of the whole in one sentence, and its numbers. */
export function Headline({ overview }: { readonly overview: Overview | undefined }) {
  const { tone, text } = overview ? verdict(overview.alerts) : { tone: "idle" as const, text: "Looking …" };
  return (
    <div className="flex flex-wrap items-end justify-between gap-x-10 gap-y-4">
      <div className="grid gap-1">
        <h1 className="font-semibold text-xl tracking-tight">Overview</h1>
        <p className="flex items-center gap-2">
          <Dot tone={tone} />
          {text}
        </p>
      </div>
      {overview && (
        <dl className="flex flex-wrap gap-x-8 gap-y-3">
          <Fact term="Jobs waiting" value={count(overview.jobs.pending)} />
          <Fact term="Jobs running" value={count(overview.jobs.running)} />
          <Fact term="Completed" value={count(overview.jobs.completed)} />
          <Fact term="Failed" value={count(overview.jobs.failed)} />
          {overview.hosts.slice(0, 2).map((host) => (
            <Fact
              key={host.host}
              term={`Host ${host.host}`}
              value={`CPU ${ratio(host.cpu_ratio)}, memory ${ratio(host.memory_ratio)}`}
            />
          ))}
        </dl>
      )}
    </div>
  );
}

function Fact({ term, value }: { readonly term: string; readonly value: string }) {
  return (
    <div>
      <dt className="max-w-48 truncate text-muted text-xs">{term}</dt>
      <dd className="font-medium text-[15px] tabular-nums">{value}</dd>
    </div>
  );
}
