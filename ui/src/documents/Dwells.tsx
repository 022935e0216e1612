import { QueueLink } from "../components/EntityLink";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { count, seconds } from "../format/format";
import type { Dwell } from "./summary";

const say = (milliseconds: number) => seconds(milliseconds / 1000);

/** How long a document was in each queue. */
export function Dwells({ dwells }: { readonly dwells: readonly Dwell[] }) {
  const most = Math.max(1, ...dwells.map(({ waited, ran }) => waited + ran));
  return (
    <Panel title="Where its time went" aside="by queue, over all attempts">
      <Table label="Where its time went">
        <thead>
          <tr>
            <th className={HEAD}>Queue</th>
            <th className={`${HEAD} w-2/5`}>Waited, then ran</th>
            <th className={NUMBER_HEAD}>Waited</th>
            <th className={NUMBER_HEAD}>Ran</th>
            <th className={NUMBER_HEAD}>Jobs</th>
            <th className={NUMBER_HEAD}>Attempts</th>
            <th className={NUMBER_HEAD}>Failures</th>
          </tr>
        </thead>
        <tbody>
          {dwells.map(({ queue, jobs, attempts, failures, waited, ran }) => (
            <tr key={queue ?? ""} className="border-line border-t">
              <td className={`${CELL} max-w-56 truncate`}>
                {queue === null ? (
                  <span className="text-muted">no queue named</span>
                ) : (
                  <QueueLink id={queue} />
                )}
              </td>
              <td className={CELL}>
                <div aria-hidden="true" className="flex h-3.5 min-w-32 gap-px">
                  <span className="hatched rounded-[3px]" style={{ width: `${(100 * waited) / most}%` }} />
                  <span
                    className="rounded-[3px] bg-line-strong"
                    style={{ width: `${(100 * ran) / most}%` }}
                  />
                </div>
              </td>
              <td className={NUMBER}>{say(waited)}</td>
              <td className={NUMBER}>{say(ran)}</td>
              <td className={NUMBER}>{count(jobs)}</td>
              <td className={NUMBER}>{count(attempts)}</td>
              <td className={`${NUMBER} ${failures > 0 ? "text-bad" : ""}`}>{count(failures)}</td>
            </tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}
