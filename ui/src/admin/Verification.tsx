import type { FormEvent } from "react";
import type { AuditVerdict } from "../api/types";
import { Button } from "../components/Button";
import { Field } from "../components/Field";
import { Panel } from "../components/Panel";
import { count } from "../format/format";
import type { TimeRange } from "../time/range";
import { auditExport, useVerify } from "./queries";

const LINK = "underline underline-offset-2";

/** Whether the log is as it was written, and the log as a file. */
export function Verification({ range }: { readonly range: TimeRange | null }) {
  const verify = useVerify();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    verify.mutate(String(new FormData(event.currentTarget).get("head")).trim());
  };
  return (
    <Panel
      title="Is it as it was written?"
      aside={
        <span className="flex flex-wrap justify-end gap-x-3">
          <a href={auditExport(range, "ndjson")} download className={LINK}>
            Export as NDJSON
          </a>
          <a href={auditExport(range, "csv")} download className={LINK}>
            as CSV
          </a>
        </span>
      }
    >
      <div className="grid gap-3 px-4 pb-4">
        <p className="text-muted">
          Each entry has a hash of itself and of the one before it. Note the last one elsewhere: whoever can
          write to this machine’s disk can make all of them anew.
        </p>
        <form onSubmit={submit} className="flex flex-wrap items-end gap-3">
          <Field
            label="A hash that was noted (optional)"
            name="head"
            autoComplete="off"
            pattern="\s*([0-9a-fA-F]{64})?\s*"
            title="64 hexadecimal digits"
            className="min-w-72 flex-1 max-w-2xl"
          />
          <Button type="submit" disabled={verify.isPending}>
            {verify.isPending ? "Verifying …" : "Verify"}
          </Button>
        </form>
        {verify.error && (
          <p role="alert" className="text-bad">
            {verify.error.message}
          </p>
        )}
        <div role="status">{verify.data && <Verdict verdict={verify.data} />}</div>
      </div>
    </Panel>
  );
}

const STARTS: Record<string, string> = {
  beginning: "nothing: they are all there were",
  migration: "nothing: there was no chain before",
  checkpoint: "what retention removed",
};

function Verdict({ verdict }: { readonly verdict: AuditVerdict }) {
  const { intact, entries, first_seq, head, start, flaw, expected_at } = verdict;
  return (
    <div className={`grid gap-1 rounded-lg px-3 py-2 ${intact ? "bg-good-soft" : "bg-bad-soft"}`}>
      <p className={`font-medium ${intact ? "text-good" : "text-bad"}`}>
        {intact
          ? `Intact: all ${count(entries)} entries are as they were written.`
          : `Broken: ${flaw?.reason ?? "the log is not as it was written"}.`}
      </p>
      {!intact && <p>{count(entries)} entries before that are sound.</p>}
      {first_seq != null && start && (
        <p>
          The first is number {first_seq}; before it there is {STARTS[start] ?? start}.
        </p>
      )}
      {expected_at != null && <p>The hash that was noted is that of entry {expected_at}.</p>}
      {head && (
        <p className="wrap-anywhere">
          The last, number {head.seq}, has the hash <code>{head.hash}</code>
        </p>
      )}
    </div>
  );
}
