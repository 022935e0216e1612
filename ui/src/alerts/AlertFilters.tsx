import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Pick } from "../components/Field";
import { SEVERITIES, STATES, type State } from "./address";
import { stateWord } from "./look";
import { rulesQuery } from "./queries";
import { useAlertsSearch } from "./useAlertsSearch";

interface Props {
  /** Between which states can be chosen. */
  readonly states?: readonly State[];
}

/** Which alerts are shown. All of it stands in the address. */
export function AlertFilters({ states = STATES }: Props) {
  const [{ state, severity, rule }, change] = useAlertsSearch();
  const rules = useQuery(rulesQuery).data?.items;
  const names = useMemo(() => {
    const known = (rules ?? []).filter(({ kind }) => kind === "alerting").map(({ name }) => name);
    // One of a rule that is gone is still looked for.
    return [...new Set(rule === undefined ? known : [...known, rule])].sort();
  }, [rules, rule]);
  const shown = states.find((known) => known === state);
  return (
    <search className="flex flex-wrap items-end gap-3" aria-label="Which alerts">
      <Pick
        label="State"
        value={shown ?? ""}
        options={[
          { value: "" as const, text: "Any" },
          ...states.map((value) => ({ value, text: stateWord(value) })),
        ]}
        onChange={(value) => change({ state: value || undefined })}
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
        label="Rule"
        value={rule ?? ""}
        options={[{ value: "", text: "Any" }, ...names.map((value) => ({ value, text: value }))]}
        onChange={(value) => change({ rule: value || undefined })}
      />
    </search>
  );
}
