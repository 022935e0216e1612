import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useMemo, useState } from "react";
import { workerPath } from "../app/places";
import { Button } from "../components/Button";
import { Go } from "../components/EntityLink";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { TONE_TEXT } from "../components/tone";
import { bytes, ratio, seconds } from "../format/format";
import type { Labels } from "../metrics/answer";
import { MetricPanel } from "../metrics/MetricPanel";
import { instantQuery } from "../metrics/queries";
import { spanNow, useTimeRange } from "../time/useTimeRange";
import { isLimit } from "./address";
import { toneOf, type WorkerMemory, workersExpr, workersOf } from "./workers";

interface Props {
  /** In GiB. */
  readonly limit: number;
  readonly onLimit: (limit: number) => void;
}

const GIB = 1024 ** 3;
const EMPTY = "Heartbeats of workers (worker.heartbeat) tell of it, with memory_rss_bytes.";

const byWorker = ({ worker = "" }: Labels) => worker;

/** What workers hold, against a limit, and when they reach it if they go on as they did. */
export function Workers({ limit, onLimit }: Props) {
  const range = useTimeRange();
  const { start, end } = spanNow(range);
  const length = Math.round(end - start);
  const query = useQuery(instantQuery(workersExpr(length), range));
  const workers = query.data && workersOf(query.data, limit * GIB, length);
  const marks = useMemo(
    () => [{ kind: "threshold", value: limit * GIB, tone: "bad", name: `limit ${limit} GiB` } as const],
    [limit],
  );
  return (
    <div className="grid grid-cols-1 items-start gap-5 xl:grid-cols-2">
      <MetricPanel
        title="Memory of workers"
        expr="worker_memory_bytes"
        name={byWorker}
        show={bytes}
        marks={marks}
        empty={EMPTY}
      />
      <Panel title="Time to the limit" aside={<Limit key={limit} limit={limit} onLimit={onLimit} />}>
        {workers ? (
          workers.length === 0 ? (
            <Empty title="No worker tells of its memory">{EMPTY}</Empty>
          ) : (
            <Listed workers={workers} />
          )
        ) : query.error ? (
          <Failure error={query.error} retry={() => void query.refetch()} />
        ) : (
          <div className="p-4">
            <Loading className="h-32" />
          </div>
        )}
      </Panel>
    </div>
  );
}

function Listed({ workers }: { readonly workers: readonly WorkerMemory[] }) {
  return (
    <div className="max-h-80 overflow-y-auto">
      <Table label="Time to the limit">
        <thead>
          <tr>
            <th className={HEAD}>Worker</th>
            <th className={NUMBER_HEAD}>Holds</th>
            <th className={NUMBER_HEAD}>Of its host</th>
            <th className={NUMBER_HEAD}>In an hour</th>
            <th className={NUMBER_HEAD}>To the limit</th>
          </tr>
        </thead>
        <tbody>
          {workers.map((worker) => (
            <tr key={worker.worker} className="border-line border-t">
              <td className={`${CELL} max-w-56 truncate`}>
                <Go to={workerPath(worker.worker)}>{worker.worker}</Go>
              </td>
              <td className={NUMBER}>{bytes(worker.held)}</td>
              <td className={NUMBER}>{ratio(worker.ofHost, 1)}</td>
              <td className={NUMBER}>{bytes(worker.inAnHour)}</td>
              <td className={`${NUMBER} ${TONE_TEXT[toneOf(worker)]}`}>
                {worker.toLimit === null
                  ? "not in sight"
                  : worker.toLimit === 0
                    ? "is above it"
                    : seconds(worker.toLimit)}
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <p className="px-4 pb-3 text-muted text-xs">
        As a straight line through the time that is shown goes on (predict_linear).
      </p>
    </div>
  );
}

/** Which limit holds. */
function Limit({ limit, onLimit }: Props) {
  const [text, write] = useState(String(limit));
  useEffect(() => write(String(limit)), [limit]);
  const id = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isLimit(text.trim())) onLimit(Number(text.trim()));
  };
  return (
    <form onSubmit={submit} className="flex items-center gap-2">
      <label htmlFor={id}>Limit in GiB</label>
      <input
        id={id}
        value={text}
        inputMode="decimal"
        aria-invalid={!isLimit(text.trim())}
        onChange={(event) => write(event.target.value)}
        className="h-7 w-16 rounded-md border border-line-strong bg-surface px-2 text-right text-ink tabular-nums aria-invalid:border-bad"
      />
      <Button type="submit" className="h-7">
        Set
      </Button>
    </form>
  );
}
