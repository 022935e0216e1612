import type { Worker } from "../api/types";
import { Ago } from "../components/Ago";
import { QueueLink } from "../components/EntityLink";
import { Stat, Stats } from "../components/Stat";
import { bytes, count, percent, seconds } from "../format/format";

/** What a worker is and has done, in numbers. */
export function WorkerFacts({ worker }: { readonly worker: Worker }) {
  const { failed_tasks: failed, crashes } = worker;
  const facts: readonly (readonly [string, string | null | undefined])[] = [
    ["Can", worker.capability],
    ["Host", worker.host],
    ["Process", worker.pid?.toString()],
    ["Service", worker.service],
    ["Version", worker.version],
    ...Object.entries(worker.attributes),
  ];
  return (
    <div className="grid grid-cols-1 gap-3">
      <Stats>
        <Stat term="Memory" value={bytes(worker.memory_rss_bytes)} more={share(worker.memory_percent)} />
        <Stat term="CPU" value={percent(worker.cpu_percent)} more="100 % is one core" />
        {worker.gpu_percent != null && (
          <Stat term="GPU" value={percent(worker.gpu_percent)} more={gpuMemory(worker.gpu_memory_percent)} />
        )}
        <Stat
          term="Works on"
          value={count(worker.active_tasks)}
          more={
            worker.max_concurrent_tasks != null
              ? `${count(worker.max_concurrent_tasks)} at the most`
              : undefined
          }
        />
        <Stat
          term="Done"
          value={count(worker.completed_tasks)}
          more={`in ${seconds(worker.total_processing_seconds)} of work`}
        />
        <Stat
          term="Failed"
          value={count(failed)}
          more={
            (worker.consecutive_failures ?? 0) > 0
              ? `the last ${count(worker.consecutive_failures)} in a row`
              : undefined
          }
        />
        <Stat term="Restarts" value={count(worker.restarts)} more={<Since time={worker.started_at} />} />
        <Stat
          term="Crashes"
          value={<span className={crashes > 0 ? "text-bad" : ""}>{count(crashes)}</span>}
          more={worker.last_crash_at ? <Ago time={worker.last_crash_at} /> : undefined}
        />
      </Stats>
      <p className="flex flex-wrap gap-x-5 gap-y-1 px-1 text-muted">
        <span>
          Takes from{" "}
          {worker.queues.length === 0
            ? "no queue that it names"
            : worker.queues.map((queue, place) => (
                <span key={queue}>
                  {place > 0 && ", "}
                  <QueueLink id={queue} />
                </span>
              ))}
        </span>
        {facts.map(
          ([term, value]) =>
            value != null &&
            value !== "" && (
              <span key={term} className="min-w-0 wrap-anywhere">
                {term} <span className="text-ink">{value}</span>
              </span>
            ),
        )}
      </p>
    </div>
  );
}

function Since({ time }: { readonly time: string }) {
  return (
    <>
      began <Ago time={time} />
    </>
  );
}

function share(value: number | null | undefined): string | undefined {
  return value == null ? undefined : `${percent(value, 1)} of the host's`;
}

function gpuMemory(value: number | null | undefined): string | undefined {
  return value == null ? undefined : `${percent(value)} of its memory`;
}
