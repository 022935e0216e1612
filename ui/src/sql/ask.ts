// Statements of SQL that the page itself asks, and their answers.

import { post } from "../api/client";
import type { SqlAnswer } from "../api/types";

/** A row by the names of its columns. */
export type SqlRow = Readonly<Record<string, unknown>>;

export interface SqlRows {
  readonly rows: readonly SqlRow[];
  /** Whether there were more than `limit`. */
  readonly truncated: boolean;
}

/** The rows of a statement, at most so many. */
export async function askSql(sql: string, limit: number): Promise<SqlRows> {
  const answer = await post<SqlAnswer>("/api/v1/sql", { sql, limit, format: "json" });
  const names = answer.columns.map(({ name }) => name);
  const rows = answer.rows.map((row) => Object.fromEntries(names.map((name, place) => [name, row[place]])));
  return { rows, truncated: answer.truncated };
}

/** A text as it stands in a statement. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A text of a row; null where it is none, or empty. */
export function textAt(row: SqlRow, name: string): string | null {
  const value = row[name];
  return typeof value === "string" && value !== "" ? value : null;
}

/** A number of a row; null where it is none. Large ones come as texts. */
export function numberAt(row: SqlRow, name: string): number | null {
  const value = row[name];
  if (value === null || value === undefined || value === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
