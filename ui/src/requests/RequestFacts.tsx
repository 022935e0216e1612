import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Request } from "../api/types";
import { logsSearch, tracePath } from "../app/places";
import { Fact, Facts } from "../components/Facts";
import { Panel } from "../components/Panel";
import { Time } from "../components/Time";
import { bytes, seconds } from "../format/format";
import { between } from "../time/range";
import { searchOf } from "../time/search";
import type { RequestFilters } from "./address";

/** All that is known of a request. */
export function RequestFacts({ request }: { readonly request: Request }) {
  const { request_id, trace_id, attributes } = request;
  const ended = Date.parse(request.time) / 1000;
  // Its logs are of the time in which it was answered, and a little more.
  const when = searchOf(between(ended - request.duration_seconds - 60, ended + 60));
  const logs = (field: "request_id" | "trace_id", value: string) => (
    <Link to={"/logs" as string} search={{ q: logsSearch(field, value), ...when }} className={LINK}>
      logs
    </Link>
  );
  return (
    <Panel title="Facts">
      <Facts>
        <Fact name="Answered">
          <Time at={request.time} style="millisecond" />
        </Fact>
        <Fact name="Took">{seconds(request.duration_seconds)}</Fact>
        <Fact name="Route">
          {request.route && <Others filters={{ route: request.route }}>{request.route}</Others>}
        </Fact>
        <Fact name="Service">
          {request.service && <Others filters={{ service: request.service }}>{request.service}</Others>}
        </Fact>
        <Fact name="User">
          {request.user_id && <Others filters={{ user: request.user_id }}>{request.user_id}</Others>}
        </Fact>
        <Fact name="API key">
          {request.api_key_id && (
            <Others filters={{ api_key: request.api_key_id }}>{request.api_key_id}</Others>
          )}
        </Fact>
        <Fact name="Client">
          {request.client_ip && <Others filters={{ client: request.client_ip }}>{request.client_ip}</Others>}
        </Fact>
        <Fact name="Received">{request.request_bytes == null ? null : bytes(request.request_bytes)}</Fact>
        <Fact name="Sent">{request.response_bytes == null ? null : bytes(request.response_bytes)}</Fact>
        <Fact name="Request id">
          {request_id && (
            <>
              <code>{request_id}</code> · {logs("request_id", request_id)}
            </>
          )}
        </Fact>
        <Fact name="Trace">
          {trace_id && (
            <>
              <Link to={tracePath(trace_id)} className={`${LINK} font-mono text-[13px]`}>
                {trace_id}
              </Link>{" "}
              · {logs("trace_id", trace_id)}
            </>
          )}
        </Fact>
        {Object.entries(attributes ?? {})
          .filter(([name]) => !TRACEBACKS.includes(name))
          .map(([name, value]) => (
            <Fact key={name} name={name}>
              {value}
            </Fact>
          ))}
      </Facts>
    </Panel>
  );
}

/** The attributes that hold a traceback: they are shown as one. */
export const TRACEBACKS: readonly string[] = ["traceback", "exception.stacktrace", "stacktrace"];

const LINK = "underline decoration-line-strong underline-offset-2 hover:decoration-ink";

/** Leads to all requests that have the same. */
function Others({ filters, children }: { readonly filters: RequestFilters; readonly children: ReactNode }) {
  return (
    <Link to="/requests" search={filters} className={LINK}>
      {children}
    </Link>
  );
}
