// What the checks of a runbook found, which the server keeps as it is.

export interface CheckResult {
  readonly check: string;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly note: string | null;
  /** `fine`, `look` or `bad`; null where the check says nothing of it. */
  readonly verdict: string | null;
  /** Why, in a sentence; may be empty. */
  readonly reason: string;
}

/** The results in an alert's evidence; what has another form is left out. */
export function resultsOf(evidence: unknown): readonly CheckResult[] {
  if (!Array.isArray(evidence)) return [];
  return evidence.flatMap((item: unknown) => {
    const found = resultOf(item);
    return found ? [found] : [];
  });
}

function resultOf(item: unknown): CheckResult | null {
  if (typeof item !== "object" || item === null) return null;
  const { check, title, columns, rows, note, verdict, reason } = item as Record<string, unknown>;
  if (typeof check !== "string") return null;
  return {
    check,
    title: typeof title === "string" ? title : check.replaceAll("_", " "),
    columns: texts(columns),
    rows: Array.isArray(rows) ? rows.map(texts) : [],
    note: typeof note === "string" && note !== "" ? note : null,
    verdict: typeof verdict === "string" ? verdict : null,
    reason: typeof reason === "string" ? reason : "",
  };
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map((text) => String(text ?? "")) : [];
}
