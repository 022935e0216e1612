import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { LogRecord } from "../api/types";
import { jobPath } from "../app/places";
import { Button } from "../components/Button";
import { Choice } from "../components/Choice";
import { Dialog } from "../components/Dialog";
import { Failure, Loading } from "../components/Notices";
import { ThingLink } from "../signals/ThingLink";
import { useZone } from "../time/zone";
import type { Around, Place } from "./address";
import { Line } from "./Line";
import { aroundQuery, narrowingOf } from "./queries";

interface Props {
  readonly place: Place;
  readonly around: Around;
  readonly onAround: (around: Around) => void;
  readonly onClose: () => void;
  readonly details: (line: LogRecord) => ReactNode;
}

const CHOICES = [
  { value: "service", text: "Its service", short: "Service" },
  { value: "host", text: "Its host", short: "Host" },
  { value: "trace", text: "Its trace", short: "Trace" },
  { value: "job", text: "Its job", short: "Job" },
  { value: "all", text: "Everything", short: "All" },
] as const;

const [FEW, MORE, MOST] = [20, 80, 500];

/** A line, and what was said just before and after it. */
export function AroundLine({ place, around, onAround, onClose, details }: Props) {
  const [amount, setAmount] = useState(FEW);
  // The line itself says what its service or its trace is.
  const alone = useQuery(aroundQuery(place, {}, 0));
  const line = alone.data?.items[alone.data.place ?? 0];
  const narrow = line ? narrowingOf(around, line) : null;
  const context = useQuery({ ...aroundQuery(place, narrow ?? {}, amount), enabled: narrow !== null });
  const error = alone.error ?? context.error;
  const jobs = alone.data?.jobs ?? [];
  const choices = CHOICES.filter(({ value }) => !line || narrowingOf(value, line) !== null);
  return (
    <Dialog
      label="Lines around a line"
      onClose={onClose}
      className="w-[1100px] max-w-[calc(100vw-16px)] max-h-[calc(100dvh-16px)]"
    >
      <div className="flex flex-wrap items-center gap-3 border-line border-b px-4 py-3">
        <h2 className="font-semibold">Lines around a line</h2>
        <Choice label="Lines of" value={around} options={choices} onChange={onAround} />
        {jobs.length === 1 && jobs[0] && (
          <ThingLink to={jobPath(jobs[0].job_id)}>Job {jobs[0].job_id}</ThingLink>
        )}
        <Button className="ml-auto" onClick={onClose}>
          Close
        </Button>
      </div>
      {error ? (
        <Failure error={error} retry={() => void (alone.error ? alone : context).refetch()} />
      ) : line && narrow === null ? (
        <p className="px-4 py-8 text-center text-muted">This line does not say it. Choose another way.</p>
      ) : !context.data ? (
        <Loading className="m-4 h-80" />
      ) : (
        <Lines lines={context.data.items} marked={place.id} details={details} />
      )}
      {context.data && (
        <div className="flex justify-between gap-2 border-line border-t px-4 py-2 text-muted text-xs">
          <span className="self-center">{amount} lines before it and after it at the most</span>
          {amount < MOST && (
            <Button onClick={() => setAmount(amount === FEW ? MORE : MOST)}>Show more</Button>
          )}
        </div>
      )}
    </Dialog>
  );
}

interface LinesProps {
  readonly lines: readonly LogRecord[];
  /** The id of the line that it is about. */
  readonly marked: string;
  readonly details: (line: LogRecord) => ReactNode;
}

function Lines({ lines, marked, details }: LinesProps) {
  const [zone] = useZone();
  const [open, setOpen] = useState(marked);
  const holder = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other lines have it at another place
  useEffect(() => {
    const line = holder.current?.querySelector("[aria-current]");
    line?.scrollIntoView({ block: "center" });
  }, [lines]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section ref={holder} aria-label="Lines around it" tabIndex={0} className="max-h-[70vh] overflow-y-auto">
      <ol>
        {lines.map((line) => (
          <li key={`${line.time} ${line.id}`}>
            <div className="h-7">
              <Line
                line={line}
                zone={zone}
                isMarked={line.id === marked}
                isOpen={line.id === open}
                onToggle={() => setOpen(line.id === open ? "" : line.id)}
              />
            </div>
            {line.id === open && details(line)}
          </li>
        ))}
      </ol>
    </section>
  );
}
