// The tables of what else there was around the beginning of an alert.

import type { ReactNode } from "react";
import type { AlertContext } from "../api/types";
import { Badge } from "../components/Badge";
import { PathLink } from "../components/PathLink";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { Time } from "../components/Time";
import type { Tone } from "../components/tone";
import { count, seconds } from "../format/format";
import { placeOf, searchPlace } from "./places";

const WIDE = "w-full min-w-64 wrap-anywhere px-4 py-2";

interface PartProps {
  readonly title: string;
  readonly heads: readonly string[];
  readonly isEmpty: boolean;
  /** Where all of them are, or that there are more. */
  readonly rest: ReactNode;
  /** The rows. */
  readonly children: ReactNode;
}

/** One kind of what there was. What is a number by its head stands right. */
function Part({ title, heads, isEmpty, rest, children }: PartProps) {
  return (
    <div className="border-line border-t pt-2">
      <div className="flex flex-wrap items-baseline justify-between gap-x-3 px-4">
        <h3 className="font-medium text-[13px]">{title}</h3>
        <p className="text-muted text-xs">{isEmpty ? "none" : rest}</p>
      </div>
      {!isEmpty && (
        <Table label={title}>
          <thead>
            <tr>
              {heads.map((head) => (
                <th key={head} className={head === "Took" || head === "Spans" ? NUMBER_HEAD : HEAD}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </Table>
      )}
    </div>
  );
}

const ROW = "border-line border-t align-top";
const LINK = "underline underline-offset-2";

function Named({ label, value }: { readonly label: string; readonly value: string | null | undefined }) {
  const place = value ? placeOf(label, value, {}) : null;
  if (!value) return <>–</>;
  return place === null ? value : <PathLink href={place}>{value}</PathLink>;
}

function TraceLink({ id }: { readonly id: string | null | undefined }) {
  if (!id) return <>–</>;
  return (
    <PathLink href={`/traces/${encodeURIComponent(id)}`} className={`${LINK} font-mono text-[13px]`}>
      {id.slice(0, 8)}
    </PathLink>
  );
}

export function JobsThen({ items, more }: AlertContext["jobs"]) {
  return (
    <Part
      title="Jobs that failed"
      heads={["Time", "Job", "Queue", "Stage", "Worker", "Error", "Trace"]}
      isEmpty={items.length === 0}
      rest={more && <PathLink href="/jobs?status=failed">There are more</PathLink>}
    >
      {items.map((job) => (
        <tr key={`${job.job_id} ${job.time}`} className={ROW}>
          <td className={CELL}>
            <Time at={job.time} />
          </td>
          <td className={`${CELL} font-mono text-[13px]`}>
            <Named label="job_id" value={job.job_id} />
          </td>
          <td className={CELL}>
            <Named label="queue" value={job.queue} />
          </td>
          <td className={CELL}>
            <Named label="stage" value={job.stage} />
          </td>
          <td className={CELL}>
            <Named label="worker" value={job.worker_id} />
          </td>
          <td className={WIDE}>{[job.error_type, job.error_message].filter(Boolean).join(": ") || "–"}</td>
          <td className={CELL}>
            <TraceLink id={job.trace_id} />
          </td>
        </tr>
      ))}
    </Part>
  );
}

const LEVELS: Record<string, Tone> = { fatal: "bad", error: "bad", warn: "warn" };

type Within = { readonly from: string; readonly to: string };

export function LogsThen({ items, more, q, from, to }: AlertContext["logs"] & Within) {
  return (
    <Part
      title="Warnings and errors in logs"
      heads={["Time", "Level", "Service", "Message", "Trace"]}
      isEmpty={items.length === 0}
      rest={
        <PathLink href={searchPlace("logs", q, from, to)}>{more ? "Show all of them" : "In logs"}</PathLink>
      }
    >
      {items.map((record) => (
        <tr key={record.id} className={ROW}>
          <td className={CELL}>
            <Time at={record.time} style="millisecond" />
          </td>
          <td className={CELL}>
            <Badge tone={LEVELS[record.level ?? ""] ?? "idle"}>{record.level ?? "–"}</Badge>
          </td>
          <td className={CELL}>{record.origin.service ?? record.origin.host ?? "–"}</td>
          <td className={WIDE}>
            <span className="line-clamp-3">{record.message ?? "–"}</span>
          </td>
          <td className={CELL}>
            <TraceLink id={record.trace_id} />
          </td>
        </tr>
      ))}
    </Part>
  );
}

export function TracesThen({ items, more, q, from, to }: AlertContext["traces"] & Within) {
  return (
    <Part
      title="Traces with errors"
      heads={["Time", "Trace", "Service", "Took", "Spans", "Errors"]}
      isEmpty={items.length === 0}
      rest={
        <PathLink href={searchPlace("traces", q, from, to)}>
          {more ? "Show all of them" : "In traces"}
        </PathLink>
      }
    >
      {items.map((trace) => (
        <tr key={trace.trace_id} className={ROW}>
          <td className={CELL}>
            <Time at={trace.start} />
          </td>
          <td className={WIDE}>
            <PathLink href={`/traces/${encodeURIComponent(trace.trace_id)}`}>{trace.name}</PathLink>
          </td>
          <td className={CELL}>{trace.service ?? "–"}</td>
          <td className={NUMBER}>{seconds(trace.duration_seconds)}</td>
          <td className={NUMBER}>{count(trace.spans)}</td>
          <td className={CELL}>{count(trace.errors)}</td>
        </tr>
      ))}
    </Part>
  );
}

export function CallsThen({ items, more }: AlertContext["llm_calls"]) {
  return (
    <Part
      title="Calls of models, those that failed first"
      heads={["Time", "Model", "Stage", "Job", "Took", "Error", "Trace"]}
      isEmpty={items.length === 0}
      rest={more && <PathLink href="/llm">There are more</PathLink>}
    >
      {items.map((call) => (
        <tr key={call.event_id} className={ROW}>
          <td className={CELL}>
            <Time at={call.time} />
          </td>
          <td className={CELL}>{call.model}</td>
          <td className={CELL}>
            <Named label="stage" value={call.stage} />
          </td>
          <td className={`${CELL} font-mono text-[13px]`}>
            <Named label="job_id" value={call.job_id} />
          </td>
          <td className={NUMBER}>{seconds(call.duration_seconds)}</td>
          <td className={WIDE}>{call.error_message ?? "–"}</td>
          <td className={CELL}>
            <TraceLink id={call.trace_id} />
          </td>
        </tr>
      ))}
    </Part>
  );
}
