import { Link } from "@tanstack/react-router";
import type { LogRecord } from "../api/types";
import { documentPath, jobPath } from "../app/places";
import { Time } from "../components/Time";
import { toggled } from "../search/terms";
import { FieldList } from "../signals/FieldList";
import { lineFields } from "../signals/fields";
import { ThingLink } from "../signals/ThingLink";
import { Traceback } from "../signals/Traceback";
import { placeText } from "./address";

interface Props {
  readonly line: LogRecord;
  readonly query: string;
  readonly onQuery: (query: string) => void;
  /** Shows what stands around it; it is shown so already where this is left out. */
  readonly onAround?: ((line: string) => void) | undefined;
}

const LINK =
  "inline-flex min-h-7 items-center rounded-md border border-line-strong bg-surface px-2 text-xs hover:bg-raised";

/** All that is known of a line. */
export function LineDetails({ line, query, onQuery, onAround }: Props) {
  const { conventions, trace_id, span_id, message } = line;
  const toggle = (field: string, value: string, sign: "only" | "not") =>
    onQuery(toggled(query, field, value, sign));
  return (
    <div className="grid min-w-0 gap-2 border-line border-y bg-canvas px-3 py-2.5">
      <p className="max-h-80 overflow-auto whitespace-pre-wrap wrap-anywhere font-mono text-[13px]">
        {message ?? "This line has no message"}
      </p>
      <div className="flex flex-wrap items-center gap-1.5">
        {onAround && (
          <button type="button" className={LINK} onClick={() => onAround(placeText(line))}>
            Lines around it
          </button>
        )}
        {trace_id && (
          <Link
            to="/traces/$id"
            params={{ id: trace_id }}
            search={span_id ? { span: span_id } : {}}
            className={LINK}
          >
            Its trace
          </Link>
        )}
        {conventions.job_id && (
          <ThingLink to={jobPath(conventions.job_id)}>Job {conventions.job_id}</ThingLink>
        )}
        {conventions.document_id && (
          <ThingLink to={documentPath(conventions.document_id)}>Document {conventions.document_id}</ThingLink>
        )}
        <span className="text-muted text-xs">
          <Time at={line.time} style="millisecond" />
        </span>
      </div>
      <Traceback
        type={conventions.exception_type}
        message={conventions.exception_message}
        stack={conventions.exception_stacktrace}
      />
      <FieldList label="Fields" fields={lineFields(line)} query={query} onToggle={toggle} />
    </div>
  );
}
