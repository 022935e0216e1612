import { useMayOperate } from "../api/session";
import type { AlertDetail } from "../api/types";
import { Button } from "../components/Button";
import { Panel } from "../components/Panel";
import { Time } from "../components/Time";
import { NoEvidence, Results } from "./Evidence";
import { resultsOf } from "./evidence";
import { useDiagnosis } from "./queries";

/** What the runbook's checks found when the alert fired, and what they find now. */
export function Findings({ alert }: { readonly alert: AlertDetail }) {
  const mayOperate = useMayOperate();
  const diagnosis = useDiagnosis(alert.id);
  const results = resultsOf(alert.evidence);
  const found = diagnosis.data;
  return (
    <>
      {(diagnosis.isPending || found || diagnosis.error) && (
        <Panel
          title="Diagnosis of now"
          aside={
            <span role="status">
              {diagnosis.isPending ? "The checks run …" : found && <Time at={found.time} />}
            </span>
          }
        >
          <div className="grid grid-cols-1 gap-3 px-4 pb-4">
            {diagnosis.error && (
              <p role="alert" className="text-bad">
                {diagnosis.error.message}
              </p>
            )}
            {found && <Results results={resultsOf(found.checks)} heading="h3" />}
          </div>
        </Panel>
      )}
      <Panel
        title="Evidence, from when it fired"
        aside={
          mayOperate ? (
            <Button
              className="h-7 text-ink"
              disabled={diagnosis.isPending}
              onClick={() => diagnosis.mutate()}
            >
              Diagnose anew
            </Button>
          ) : (
            "Operators can diagnose anew."
          )
        }
      >
        <div className="px-4 pb-4">
          {results.length === 0 ? (
            <NoEvidence state={alert.state} />
          ) : (
            <Results results={results} heading="h3" />
          )}
        </div>
      </Panel>
    </>
  );
}
