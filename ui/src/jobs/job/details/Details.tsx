import { useQuery } from "@tanstack/react-query";
import { Tabs } from "radix-ui";
import { Button } from "../../../components/Button";
import { Panel } from "../../../components/Panel";
import { count, seconds } from "../../../format/format";
import { type JobTab, TABS } from "../../address";
import type { JobDetail } from "../../types";
import { countsQuery, type Scope } from "../queries";
import { nameOf, type Row, wholeOf } from "../rows";
import { Calls } from "./Calls";
import { Errors } from "./Errors";
import { Logs } from "./Logs";
import { Requests } from "./Requests";
import { Spans } from "./Spans";

interface Props {
  readonly job: JobDetail;
  readonly rows: readonly Row[];
  readonly selected: Row | undefined;
  readonly tab: JobTab;
  readonly onTab: (tab: JobTab) => void;
  readonly onClear: () => void;
}

const NAMES: Record<JobTab, string> = {
  logs: "Logs",
  errors: "Errors",
  llm: "LLM calls",
  requests: "Requests",
  spans: "Spans",
};

const TRIGGER =
  "-mb-px whitespace-nowrap border-transparent border-b-2 px-3 py-2 text-muted hover:text-ink data-[state=active]:border-ink data-[state=active]:font-medium data-[state=active]:text-ink";

/** What belongs to the job, or to the bar that is chosen. */
export function Details({ job, rows, selected, tab, onTab, onClear }: Props) {
  const counts = useQuery(countsQuery(job.job_id)).data;
  const scope: Scope = selected ? wholeOf(selected) : null;
  const amounts: Partial<Record<JobTab, number | null>> = {
    logs: counts?.records.logs ?? null,
    llm: counts?.records.llm_calls ?? null,
    spans: counts?.records.spans ?? null,
  };
  return (
    <Panel
      title={selected ? `What belongs to ${nameOf(selected)}` : "What belongs to it"}
      aside={
        selected && (
          <span className="flex items-center gap-3">
            {scope && `${seconds((scope.end - scope.start) / 1000)} of its time`}
            <Button onClick={onClear}>Show all</Button>
          </span>
        )
      }
    >
      <Tabs.Root
        value={tab}
        onValueChange={(value) => onTab(TABS.find((one) => one === value) ?? "logs")}
        className="grid grid-cols-1"
      >
        <Tabs.List aria-label="What is shown" className="flex overflow-x-auto border-line border-b px-2">
          {TABS.map((value) => (
            <Tabs.Trigger key={value} value={value} className={TRIGGER}>
              {NAMES[value]}
              {amounts[value] != null && (
                <span className="pl-1.5 text-muted text-xs tabular-nums">{count(amounts[value])}</span>
              )}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <Tabs.Content value="logs">
          <Logs job={job} scope={scope} />
        </Tabs.Content>
        <Tabs.Content value="errors">
          <Errors job={job} rows={rows} selected={selected} scope={scope} />
        </Tabs.Content>
        <Tabs.Content value="llm">
          <Calls job={job} selected={selected} scope={scope} />
        </Tabs.Content>
        <Tabs.Content value="requests">
          <Requests job={job} traces={counts?.trace_ids ?? job.trace_ids} scope={scope} />
        </Tabs.Content>
        <Tabs.Content value="spans">
          <Spans job={job} scope={scope} />
        </Tabs.Content>
      </Tabs.Root>
    </Panel>
  );
}
