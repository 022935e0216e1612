import { Badge } from "../components/Badge";
import { JobLink, WorkerLink } from "../components/EntityLink";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { Time } from "../components/Time";
import { count } from "../format/format";
import { toneOf } from "./bars";
import type { DocumentJob } from "./model";
import { isBad } from "./summary";

/** The most that are shown. */
const SHOWN = 100;

/** The attempts that ended badly, the last first. There is nothing to see where none did. */
export function Failures({ jobs }: { readonly jobs: readonly DocumentJob[] }) {
  const failures = jobs
    .flatMap((job) => job.attempts.filter(isBad).map((attempt) => ({ job, attempt })))
    .sort((a, b) => (b.attempt.endedAt ?? 0) - (a.attempt.endedAt ?? 0));
  if (failures.length === 0) return null;
  return (
    <Panel
      title="What went wrong"
      aside={failures.length > SHOWN ? `the last ${SHOWN} of ${count(failures.length)}` : undefined}
    >
      <Table label="What went wrong">
        <thead>
          <tr>
            <th className={HEAD}>When</th>
            <th className={HEAD}>Job</th>
            <th className={NUMBER_HEAD}>Attempt</th>
            <th className={HEAD}>Then</th>
            <th className={HEAD}>Error</th>
            <th className={HEAD}>Worker</th>
          </tr>
        </thead>
        <tbody>
          {failures.slice(0, SHOWN).map(({ job, attempt }) => (
            <tr key={`${job.id} ${attempt.number}`} className="border-line border-t align-top">
              <td className={CELL}>
                <Time at={attempt.endedAt === null ? null : new Date(attempt.endedAt).toISOString()} />
              </td>
              <td className={`${CELL} max-w-48 truncate`}>
                <JobLink id={job.id}>{job.kind ?? job.id}</JobLink>
              </td>
              <td className={NUMBER}>{attempt.number + 1}</td>
              <td className={CELL}>
                <Badge tone={toneOf(attempt)}>
                  {attempt.outcome === "retried" ? "tried again" : "given up"}
                </Badge>
              </td>
              <td className="min-w-64 wrap-anywhere px-4 py-2">{attempt.error ?? "no error was told"}</td>
              <td className={`${CELL} max-w-40 truncate`}>
                <WorkerLink id={attempt.worker} />
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}
