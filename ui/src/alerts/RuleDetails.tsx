import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import type { Rule } from "../api/types";
import { Button } from "../components/Button";
import { Fact, Facts } from "../components/Facts";
import { Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { Time } from "../components/Time";
import { seconds } from "../format/format";
import { LabelList } from "./LabelList";
import { RuleState } from "./RuleState";

const RuleChart = lazy(async () => ({ default: (await import("./RuleChart")).RuleChart }));

/** One rule: what it says, how it does, and its expression against its threshold. */
export function RuleDetails({ rule, onClose }: { readonly rule: Rule; readonly onClose: () => void }) {
  return (
    <>
      <Panel title={`Rule ${rule.name}`} aside={<Button onClick={onClose}>Close</Button>}>
        <Facts>
          <Fact name="State">
            <RuleState rule={rule} />{" "}
            <Link
              to="/alerts"
              search={{ tab: "history", rule: rule.name }}
              className="underline underline-offset-2"
            >
              Its alerts
            </Link>
          </Fact>
          {rule.kind === "alerting" && (
            <Fact name="Fires">
              {rule.for_seconds > 0 ? `when it has held for ${seconds(rule.for_seconds)}` : "at once"}
              {rule.keep_firing_for_seconds > 0 &&
                `, and for ${seconds(rule.keep_firing_for_seconds)} after it has gone`}
            </Fact>
          )}
          <Fact name="Evaluated">
            every {seconds(rule.interval_seconds)}, last <Time at={rule.last_evaluation} /> in{" "}
            {seconds(rule.duration_seconds)}
          </Fact>
          {rule.last_error && (
            <Fact name="Error">
              <span className="wrap-anywhere text-bad">{rule.last_error}</span>
            </Fact>
          )}
          {rule.warnings.map((warning) => (
            <Fact key={warning} name="Warning">
              <span className="wrap-anywhere text-warn">{warning}</span>
            </Fact>
          ))}
          {Object.keys(rule.labels).length > 0 && (
            <Fact name="Labels">
              <LabelList labels={rule.labels} />
            </Fact>
          )}
          {Object.entries(rule.annotations).map(([name, text]) => (
            <Fact key={name} name={name}>
              <span className="wrap-anywhere">{text}</span>
            </Fact>
          ))}
          {rule.runbook.length > 0 && (
            <Fact name="Checks">{rule.runbook.map((check) => check.replaceAll("_", " ")).join(", ")}</Fact>
          )}
          <Fact name="Stands in">
            <code className="wrap-anywhere text-[13px]">
              {rule.file}:{rule.line}
            </code>
            , group {rule.group}
          </Fact>
        </Facts>
      </Panel>
      <Suspense fallback={<Loading className="h-64" />}>
        <RuleChart rule={rule} title="Its values and its threshold" />
      </Suspense>
    </>
  );
}
