import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo } from "react";
import type { Rule, RulesReload } from "../api/types";
import { DataTable } from "../components/DataTable";
import { Field, Pick } from "../components/Field";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { Time } from "../components/Time";
import type { AlertsSearch } from "./address";
import { HEALTHS, SEVERITIES } from "./address";
import { rulesQuery, rulesReloadQuery } from "./queries";
import { ruleColumns } from "./ruleColumns";
import { sortingOf, sortText } from "./sort";
import { useAlertsSearch } from "./useAlertsSearch";

// It comes with charts, which the list does not wait for.
const RuleDetails = lazy(async () => ({ default: (await import("./RuleDetails")).RuleDetails }));

/** What is watched for: each rule with its values now, its state, and how its last evaluation went. */
export function RulesTab() {
  const rules = useQuery(rulesQuery);
  const reload = useQuery(rulesReloadQuery);
  const [search, change] = useAlertsSearch();
  const { open, sort } = search;
  const shown = useMemo(() => rulesOf(rules.data?.items ?? [], search), [rules.data, search]);
  const columns = useMemo(() => ruleColumns((id) => change({ open: id })), [change]);
  const chosen = rules.data?.items.find(({ id }) => id === open);
  return (
    <>
      {reload.data && <Reload reload={reload.data} />}
      <Filters />
      <Panel title="Rules" aside={rules.data && `${shown.length} of ${rules.data.total}`}>
        {!rules.data && rules.error ? (
          <Failure error={rules.error} retry={() => void rules.refetch()} />
        ) : !rules.data ? (
          <div className="p-4">
            <Loading className="h-64" />
          </div>
        ) : shown.length === 0 ? (
          <Empty title="There is no such rule">
            Rules stand in the files that <code>[alerts] rules</code> names; without any the shipped ones are
            evaluated.
          </Empty>
        ) : (
          <DataTable
            label="Rules"
            columns={columns}
            rows={shown}
            rowKey={(rule) => rule.id}
            onOpen={(rule) => change({ open: rule.id === open ? undefined : rule.id })}
            isSelected={(rule) => rule.id === open}
            sorting={sortingOf(sort)}
            onSort={(sorting) => change({ sort: sortText(sorting) })}
            className={open === undefined ? "max-h-[65vh]" : "max-h-[40vh]"}
          />
        )}
      </Panel>
      {chosen ? (
        <Suspense fallback={<Loading className="h-64" />}>
          <RuleDetails key={chosen.id} rule={chosen} onClose={() => change({ open: undefined })} />
        </Suspense>
      ) : (
        open !== undefined &&
        rules.data && (
          <p role="status" className="text-muted">
            The rule <code>{open}</code> is no more, or the link is not whole.
          </p>
        )
      )}
    </>
  );
}

function rulesOf(rules: readonly Rule[], { rule, severity, health }: AlertsSearch): readonly Rule[] {
  const wanted = rule?.toLowerCase();
  return rules.filter(
    ({ name, group, ...one }) =>
      (wanted === undefined || `${group} ${name}`.toLowerCase().includes(wanted)) &&
      (severity === undefined || one.severity === severity) &&
      (health === undefined || one.health === health),
  );
}

const HEALTH_WORDS = { ok: "evaluated", err: "failed", unknown: "not evaluated yet" };

function Filters() {
  const [{ rule = "", severity, health }, change] = useAlertsSearch();
  return (
    <search className="flex flex-wrap items-end gap-3" aria-label="Which rules">
      <Field
        label="Name or group"
        type="search"
        value={rule}
        onChange={(event) => change({ rule: event.target.value || undefined })}
      />
      <Pick
        label="Severity"
        value={severity ?? ""}
        options={[
          { value: "" as const, text: "Any" },
          ...SEVERITIES.map((value) => ({ value, text: value })),
        ]}
        onChange={(value) => change({ severity: value || undefined })}
      />
      <Pick
        label="Last evaluation"
        value={health ?? ""}
        options={[
          { value: "" as const, text: "Any" },
          ...HEALTHS.map((value) => ({ value, text: HEALTH_WORDS[value] })),
        ]}
        onChange={(value) => change({ health: value || undefined })}
      />
    </search>
  );
}

/** Said when the files of rules were changed, and what is in them now is not evaluated. */
function Reload({ reload: { error, last_failure, last_success } }: { readonly reload: RulesReload }) {
  if (!error) return null;
  return (
    <div role="alert" className="grid gap-1 rounded-lg bg-bad-soft px-3 py-2 text-bad">
      <p className="font-medium">
        The files of rules were changed and are wrong, so the rules of <Time at={last_success} /> go on.
      </p>
      <p className="wrap-anywhere font-mono text-[13px]">{error}</p>
      {last_failure && (
        <p className="text-xs">
          Seen <Time at={last_failure} />
        </p>
      )}
    </div>
  );
}
