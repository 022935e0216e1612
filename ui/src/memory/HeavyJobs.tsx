import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { workerPath } from "../app/places";
import { Button } from "../components/Button";
import { Go, JobLink, LINK } from "../components/EntityLink";
import { Empty } from "../components/Notices";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { Time } from "../components/Time";
import { bytes } from "../format/format";
import { useTimeRange } from "../time/useTimeRange";
import { heavyJobsQuery, MOST_HEAVY } from "./queries";
import { Sums, signed } from "./Sums";

interface Props {
  readonly stage?: string;
  readonly component?: string;
  readonly onClose: () => void;
}

/** The jobs in which a stage held most, or a component took most. */
export function HeavyJobs({ stage, component, onClose }: Props) {
  const search = {
    ...(stage === undefined ? {} : { stage }),
    ...(component === undefined ? {} : { component }),
  };
  const query = useQuery(heavyJobsQuery(search, useTimeRange()));
  return (
    <Sums
      title={stage === undefined ? `Jobs that loaded ${component}` : `Jobs in which ${stage} held most`}
      aside={
        <span className="flex items-center gap-3">
          {stage !== undefined && (
            <Link to="/jobs" search={{ q: stage }} className={LINK}>
              All jobs in it now
            </Link>
          )}
          <Button className="h-7" onClick={onClose}>
            Close
          </Button>
        </span>
      }
      query={query}
    >
      {(jobs) =>
        jobs.length === 0 ? (
          <Empty title="No such job in this time" />
        ) : (
          <div className="max-h-96 overflow-y-auto">
            <Table label={`Jobs of ${stage ?? component}`}>
              <thead>
                <tr>
                  <th className={HEAD}>When</th>
                  <th className={HEAD}>Job</th>
                  <th className={HEAD}>Worker</th>
                  <th className={NUMBER_HEAD}>{stage === undefined ? "Held afterwards" : "Peak"}</th>
                  <th className={NUMBER_HEAD}>{stage === undefined ? "Took" : "Grew by"}</th>
                </tr>
              </thead>
              <tbody>
                {jobs.map((job) => (
                  <tr key={`${job.id} ${job.time}`} className="border-line border-t">
                    <td className={CELL}>
                      <Time at={job.time} />
                    </td>
                    <td className={`${CELL} max-w-80 truncate`}>
                      <JobLink id={job.id} />
                    </td>
                    <td className={`${CELL} max-w-56 truncate`}>
                      {job.worker === null ? "–" : <Go to={workerPath(job.worker)}>{job.worker}</Go>}
                    </td>
                    <td className={NUMBER}>{bytes(job.peak)}</td>
                    <td className={NUMBER}>{signed(job.change, bytes)}</td>
                  </tr>
                ))}
              </tbody>
            </Table>
            {jobs.length === MOST_HEAVY && (
              <p className="px-4 pb-3 text-muted text-xs">The {MOST_HEAVY} with most are here.</p>
            )}
          </div>
        )
      }
    </Sums>
  );
}
