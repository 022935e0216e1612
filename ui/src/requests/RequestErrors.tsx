import { useQuery } from "@tanstack/react-query";
import type { Request } from "../api/types";
import { Failure } from "../components/Notices";
import { Panel } from "../components/Panel";
import { Time } from "../components/Time";
import { loggedErrorsQuery } from "./queries";
import { TRACEBACKS } from "./RequestFacts";

/** What went wrong: what the request itself says, and what was logged while it was answered. Nothing, if nothing did. */
export function RequestErrors({ request }: { readonly request: Request }) {
  const query = useQuery(loggedErrorsQuery(request));
  const own = TRACEBACKS.map((name) => request.attributes?.[name]).find((text) => text !== undefined);
  const logged = query.data ?? [];
  if (!request.error_message && own === undefined && logged.length === 0 && !query.error) return null;
  return (
    <Panel title="What went wrong">
      <div className="grid grid-cols-1 gap-3 px-4 pb-4">
        {request.error_message && (
          <p className="wrap-anywhere font-medium text-bad">{request.error_message}</p>
        )}
        {own !== undefined && <Traceback label="Traceback" text={own} />}
        {logged.map((error) => (
          <div
            key={`${error.time} ${error.type} ${error.message}`}
            className="grid grid-cols-1 gap-1.5 border-line border-t pt-3 first:border-t-0 first:pt-0"
          >
            <p className="wrap-anywhere">
              <span className="text-muted">
                <Time at={error.time} style="millisecond" /> {error.service}
              </span>{" "}
              {error.type && <code>{error.type}: </code>}
              {error.message}
            </p>
            {error.stacktrace && (
              <Traceback label={`Traceback of ${error.type ?? "the error"}`} text={error.stacktrace} />
            )}
          </div>
        ))}
        {query.error && <Failure error={query.error} retry={() => void query.refetch()} />}
      </div>
    </Panel>
  );
}

function Traceback({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      className="max-h-96 overflow-auto rounded-lg border border-line bg-raised p-3"
    >
      <pre className="font-mono text-[12.5px] leading-relaxed">{text}</pre>
    </section>
  );
}
