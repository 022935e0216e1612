// Series at one time, put together by a label: a row for each of its values.

import type { Answer } from "../metrics/answer";

/** The values of metrics, by the value of one label. */
export type Rows = ReadonlyMap<string, Readonly<Record<string, number>>>;

/** A row for each value of `label`, in their order, with the value of each metric by its name. */
export function rowsBy(label: string, answer: Answer): Rows {
  const rows = new Map<string, Record<string, number>>();
  if (answer.data.resultType !== "vector") return rows;
  for (const { metric, value } of answer.data.result) {
    const key = metric[label];
    const number = Number(value?.[1] ?? Number.NaN);
    if (key === undefined || !Number.isFinite(number)) continue;
    const row = rows.get(key) ?? {};
    row[metric.__name__ ?? ""] = number;
    rows.set(key, row);
  }
  return new Map([...rows].sort(([a], [b]) => a.localeCompare(b)));
}
