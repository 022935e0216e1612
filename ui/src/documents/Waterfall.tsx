import { JobLink } from "../components/EntityLink";
import { Panel } from "../components/Panel";
import { TONE_FILL } from "../components/tone";
import { count, seconds } from "../format/format";
import { moment } from "../format/time";
import { useZone } from "../time/zone";
import { type Bar, barsOf } from "./bars";
import type { DocumentJob } from "./model";

/** The most jobs that are drawn. */
const SHOWN = 200;

const say = (milliseconds: number) => seconds(milliseconds / 1000);

interface Props {
  readonly jobs: readonly DocumentJob[];
  /** The ends of what is drawn, in milliseconds since the epoch. */
  readonly first: number;
  readonly last: number;
  readonly now: number;
}

/** The jobs of a document one below another over its time: waiting hatched, running solid, attempts in a row. */
export function Waterfall({ jobs, first, last, now }: Props) {
  const shown = jobs.slice(0, SHOWN);
  return (
    <Panel title="Its jobs over time" aside={`${say(last - first)} in all`}>
      <div className="px-4 pb-4">
        <Key />
        <ol aria-label="Jobs over time">
          {shown.map((job) => (
            <li
              key={job.id}
              className="grid items-center gap-x-3 border-line border-t py-1.5 sm:grid-cols-[minmax(0,220px)_minmax(0,1fr)]"
            >
              <p className="min-w-0 truncate">
                <JobLink id={job.id}>
                  <span className="font-medium font-sans">{job.kind ?? job.id}</span>
                </JobLink>{" "}
                <span className="text-muted text-xs">
                  {job.queue ?? "no queue"}, {job.status}
                </span>
              </p>
              <Track bars={barsOf(job, first, last, now, say)} />
            </li>
          ))}
        </ol>
        <Ends first={first} last={last} />
        {jobs.length > SHOWN && (
          <p className="pt-2 text-muted text-xs">and {count(jobs.length - SHOWN)} more jobs</p>
        )}
      </div>
    </Panel>
  );
}

function Track({ bars }: { readonly bars: readonly Bar[] }) {
  const words = bars.map((bar) => bar.words).join("; ");
  return (
    <div role="img" aria-label={words || "No time is known"} className="relative h-5 rounded bg-raised">
      {bars.map(({ key, kind, tone, left, width, words }) => (
        <span
          key={key}
          title={words}
          className={`absolute inset-y-0.5 min-w-[2px] rounded-[3px] ${kind === "wait" ? "hatched" : TONE_FILL[tone]}`}
          style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
        />
      ))}
    </div>
  );
}

const KEY = [
  ["hatched", "waits"],
  [TONE_FILL.note, "runs"],
  [TONE_FILL.good, "completed"],
  [TONE_FILL.warn, "failed, tried again"],
  [TONE_FILL.bad, "failed"],
] as const;

function Key() {
  return (
    <ul aria-label="What the bars mean" className="flex flex-wrap gap-x-4 gap-y-1 pb-2 text-muted text-xs">
      {KEY.map(([look, name]) => (
        <li key={name} className="flex items-center gap-1.5">
          <span aria-hidden="true" className={`h-3 w-5 rounded-[3px] ${look}`} />
          {name}
        </li>
      ))}
    </ul>
  );
}

/** The times at both ends and in between. */
function Ends({ first, last }: { readonly first: number; readonly last: number }) {
  const [zone] = useZone();
  const style = last - first < 10_000 ? "millisecond" : "second";
  return (
    <div
      aria-hidden="true"
      className="flex justify-between gap-3 border-line border-t pt-1.5 text-muted text-xs tabular-nums sm:pl-[232px]"
    >
      {[first, (first + last) / 2, last].map((time, place) => (
        <span key={time} className={place === 1 ? "max-sm:hidden" : ""}>
          {moment(time, zone, style)}
        </span>
      ))}
    </div>
  );
}
