import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { TraceSpan } from "../../api/types";
import { jobPath } from "../../app/places";
import { Badge } from "../../components/Badge";
import { Time } from "../../components/Time";
import { ratio, seconds } from "../../format/format";
import { termOf } from "../../search/terms";
import { FieldList } from "../../signals/FieldList";
import { sharedFields } from "../../signals/fields";
import { ThingLink } from "../../signals/ThingLink";
import { Traceback } from "../../signals/Traceback";
import { type SpanNode, secondsSince } from "./layout";

interface Props {
  readonly node: SpanNode;
  readonly traceId: string;
  /** When the trace began, in milliseconds, and how long it took. */
  readonly begin: number;
  readonly duration: number;
  /** Looks for spans with a value. */
  readonly onFind: (term: string) => void;
}

const LINK =
  "inline-flex min-h-7 items-center rounded-md border border-line-strong bg-surface px-2 text-xs hover:bg-raised";

/** All that is known of a span. */
export function SpanDetails({ node, traceId, begin, duration, onFind }: Props) {
  const { span } = node;
  const { conventions, status } = span;
  return (
    <div className="grid min-w-0 grid-cols-1 content-start gap-4 p-4">
      <div className="grid gap-2">
        <h2 className="wrap-anywhere font-semibold">
          {span.name || "(no name)"}{" "}
          <span className="font-normal text-muted">{span.origin.service ?? "–"}</span>
        </h2>
        <p className="flex flex-wrap gap-1.5">
          <Badge tone={status === "error" ? "bad" : status === "ok" ? "good" : "idle"}>{status}</Badge>
          <Badge tone="idle">{span.kind}</Badge>
          {span.critical_seconds > 0 && <Badge tone="note">on the critical path</Badge>}
          {span.orphan && <Badge tone="warn">its parent is not here</Badge>}
        </p>
        {span.status_message && <p className="wrap-anywhere text-bad">{span.status_message}</p>}
      </div>
      <Times node={node} duration={duration} />
      <div className="flex flex-wrap gap-1.5">
        <Link to="/logs" search={{ q: termOf("span_id", [span.span_id]) }} className={LINK}>
          Its log lines
        </Link>
        <Link
          to="/traces"
          search={{ q: `${termOf("service", [span.origin.service ?? null])} ${termOf("name", [span.name])}` }}
          className={LINK}
        >
          Others like it
        </Link>
        {conventions.job_id && (
          <ThingLink to={jobPath(conventions.job_id)}>Job {conventions.job_id}</ThingLink>
        )}
      </div>
      <Traceback
        type={conventions.exception_type}
        message={conventions.exception_message}
        stack={conventions.exception_stacktrace}
      />
      <Occurrences span={span} begin={begin} />
      <Links span={span} traceId={traceId} />
      <Part title="Attributes">
        <FieldList
          label="Attributes"
          fields={[...sharedFields(span), { name: "span_id", value: span.span_id, search: null }]}
          onToggle={(field, value, sign) => onFind(termOf(field, [value], sign))}
        />
      </Part>
    </div>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="min-w-0">
      <h3 className="pb-1 font-medium text-[13px]">{title}</h3>
      {children}
    </section>
  );
}

function Times({ node: { span, start }, duration }: { readonly node: SpanNode; readonly duration: number }) {
  const facts: readonly (readonly [string, ReactNode])[] = [
    ["Began", <Time key="began" at={span.time} style="millisecond" />],
    ["After the trace", seconds(start)],
    [
      "Took",
      `${seconds(span.duration_seconds)}${duration > 0 ? `, ${ratio(span.duration_seconds / duration)}` : ""}`,
    ],
    ["By itself", seconds(span.self_seconds)],
    ["Of the critical path", seconds(span.critical_seconds)],
    ...(span.waiting_seconds > 0 ? [["Waited to begin", seconds(span.waiting_seconds)] as const] : []),
    ...(span.skew_seconds !== 0 ? [["Its clock, corrected by", seconds(span.skew_seconds)] as const] : []),
    ...(span.flaws && span.flaws.length > 0 ? [["Flaws", span.flaws.join(", ")] as const] : []),
  ];
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5">
      {facts.map(([term, value]) => (
        <div key={term} className="contents">
          <dt className="text-muted">{term}</dt>
          <dd className="text-right tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Occurrences({ span, begin }: { readonly span: TraceSpan; readonly begin: number }) {
  if (!span.events || span.events.length === 0) return null;
  return (
    <Part title={`Events (${span.events.length})`}>
      <ol className="grid gap-2">
        {span.events.map(({ name, time, attributes }, place) => {
          const {
            "exception.stacktrace": stack,
            "exception.type": type,
            "exception.message": message,
            ...rest
          } = attributes as Readonly<Record<string, string | undefined>>;
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: events do not move
            <li key={place} className="min-w-0 border-line border-t pt-1.5 first:border-t-0">
              <p className="flex justify-between gap-3">
                <span className="wrap-anywhere font-medium">{name}</span>
                <span className="shrink-0 text-muted text-xs tabular-nums">
                  {time ? `at ${seconds(Math.max(0, secondsSince(begin, time)))}` : "no time said"}
                </span>
              </p>
              <Traceback type={type} message={message} stack={stack} />
              <FieldList label={`Attributes of ${name}`} fields={plain(rest)} />
            </li>
          );
        })}
      </ol>
    </Part>
  );
}

function plain(values: Readonly<Record<string, string | undefined>>) {
  return Object.entries(values).map(([name, value]) => ({ name, value: value ?? "", search: null }));
}

function Links({ span, traceId }: { readonly span: TraceSpan; readonly traceId: string }) {
  if (!span.links || span.links.length === 0) return null;
  return (
    <Part title={`Links (${span.links.length})`}>
      <ul className="grid gap-1.5">
        {span.links.map(({ trace_id, span_id, attributes }, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: links do not move
          <li key={place} className="min-w-0">
            {trace_id ? (
              <Link
                to="/traces/$id"
                params={{ id: trace_id }}
                search={span_id ? { span: span_id } : {}}
                className="wrap-anywhere font-mono text-xs underline underline-offset-2"
              >
                {trace_id === traceId ? `this trace, span ${span_id ?? "–"}` : trace_id}
              </Link>
            ) : (
              <span className="text-muted">a span without a trace</span>
            )}
            <FieldList label="Attributes of the link" fields={plain(attributes as Record<string, string>)} />
          </li>
        ))}
      </ul>
    </Part>
  );
}
