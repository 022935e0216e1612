import { useQuery } from "@tanstack/react-query";
import { Stat, Stats } from "../components/Stat";
import { Time } from "../components/Time";
import { bytes, count, seconds } from "../format/format";
import { dollars, total } from "./amounts";
import { documentCallsQuery } from "./queries";
import type { Summary } from "./summary";

interface Props {
  readonly id: string;
  readonly jobs: readonly string[];
  readonly summary: Summary;
  readonly now: number;
}

const say = (milliseconds: number) => seconds(milliseconds / 1000);

/** What a document took, in numbers. */
export function DocumentStats({ id, jobs, summary, now }: Props) {
  const calls = useQuery(documentCallsQuery(id, jobs)).data;
  const { first, last, isOpen, failures } = summary;
  const end = isOpen ? now : last;
  const cost = calls ? total(calls, (row) => row.cost) : null;
  return (
    <Stats>
      <Stat
        term={isOpen ? "So far" : "From first to last"}
        value={first === null || end === null ? "–" : say(end - first)}
        more={first === null ? undefined : <Time at={new Date(first).toISOString()} />}
      />
      <Stat term="Waited" value={say(summary.waited)} more="over all attempts" />
      <Stat term="Ran" value={say(summary.ran)} more="over all attempts" />
      <Stat term="Jobs" value={count(jobs.length)} more={`${count(summary.attempts)} attempts`} />
      <Stat
        term="Failures"
        value={<span className={failures > 0 ? "text-bad" : ""}>{count(failures)}</span>}
        more={summary.failed > 0 ? `${count(summary.failed)} for good` : undefined}
      />
      <Stat term="Pages" value={count(summary.pages)} />
      <Stat term="Peak memory" value={bytes(summary.memoryPeak)} />
      <Stat
        term="LLM tokens"
        value={
          calls
            ? count((total(calls, (row) => row.input) ?? 0) + (total(calls, (row) => row.output) ?? 0))
            : "–"
        }
        more={calls && `${count(total(calls, (row) => row.calls) ?? 0)} calls`}
      />
      {cost !== null && <Stat term="LLM cost" value={dollars(cost)} />}
    </Stats>
  );
}
