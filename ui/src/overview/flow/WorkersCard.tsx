import { Link } from "@tanstack/react-router";
import type { WorkerNow } from "../../api/types";
import { Tooltip } from "../../components/Tooltip";
import { TONE_FILL, type Tone } from "../../components/tone";
import { bytes, count } from "../../format/format";

const TONES: Record<string, Tone> = { online: "good", stale: "warn", offline: "bad" };

/** The most workers that are drawn one by one. */
const MAX_DRAWN = 24;

/** The workers of a queue: which are there, which work, and what they hold in memory. */
export function WorkersCard({ workers }: { readonly workers: readonly WorkerNow[] }) {
  const amount = (status: string) => workers.filter((worker) => worker.status === status).length;
  const memory = workers.reduce((sum, worker) => sum + (worker.memory_rss_bytes ?? 0), 0);
  const [stale, offline] = [amount("stale"), amount("offline")];
  return (
    <article aria-label="Workers" className="grid content-start gap-3 rounded-lg border border-line p-3">
      <h3 className="flex items-center justify-between gap-2 font-medium">
        <Link to="/workers" className="hover:underline">
          Workers
        </Link>
        {memory > 0 && <span className="font-normal text-muted text-xs">{bytes(memory)}</span>}
      </h3>
      {workers.length === 0 ? (
        <p className="text-muted">None has reported</p>
      ) : (
        <>
          <p>
            <span className="font-semibold text-2xl tabular-nums tracking-tight">
              {count(amount("online"))}
            </span>
            <span className="pl-1.5 text-muted">online, {workers.filter(isBusy).length} busy</span>
          </p>
          <div className="grid gap-1.5">
            <ul aria-label="Each worker" className="flex flex-wrap gap-1">
              {workers.slice(0, MAX_DRAWN).map((worker) => (
                <Mark key={worker.worker_id} worker={worker} />
              ))}
            </ul>
            {(stale > 0 || offline > 0) && (
              <p className="text-xs">
                {stale > 0 && <span className="text-warn">{stale} stale </span>}
                {offline > 0 && <span className="text-bad">{offline} offline</span>}
              </p>
            )}
          </div>
        </>
      )}
    </article>
  );
}

function isBusy(worker: WorkerNow): boolean {
  return worker.status === "online" && (worker.job_id != null || (worker.active_tasks ?? 0) > 0);
}

/** One worker: filled while it works, an outline while it is idle. */
function Mark({ worker }: { readonly worker: WorkerNow }) {
  const tone = TONES[worker.status] ?? "idle";
  const text = describe(worker);
  const idle = worker.status === "online" && !isBusy(worker);
  return (
    <li className="flex">
      <Tooltip text={text}>
        <Link
          to="/workers/$id"
          params={{ id: worker.worker_id }}
          aria-label={text}
          className="grid h-6 w-7 place-items-center rounded hover:bg-raised"
        >
          <span
            aria-hidden="true"
            className={`h-4 w-5 rounded-[4px] ${idle ? "border-2 border-good" : TONE_FILL[tone]}`}
          />
        </Link>
      </Tooltip>
    </li>
  );
}

function describe(worker: WorkerNow): string {
  const doing = isBusy(worker)
    ? `works on ${worker.job_id ?? `${worker.active_tasks} tasks`}`
    : worker.status;
  const memory = worker.memory_rss_bytes == null ? "" : `, ${bytes(worker.memory_rss_bytes)}`;
  const crashes = worker.crashes > 0 ? `, crashed ${worker.crashes} times` : "";
  return `${worker.worker_id}: ${doing}${memory}${crashes}`;
}
