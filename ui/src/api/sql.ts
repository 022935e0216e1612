// Questions in SQL.

import { post } from "./client";
import type { components } from "./schema";

type SqlAnswer = components["schemas"]["SqlAnswer"];

/** One row by the names of its columns. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** The rows of a statement. */
export async function sql(statement: string, limit = 1_000): Promise<readonly SqlRow[]> {
  const { columns, rows } = await post<SqlAnswer>("/api/v1/sql", { sql: statement, limit });
  return rows.map((row) => {
    const values = row as readonly unknown[];
    return Object.fromEntries(columns.map(({ name }, place) => [name, values[place]]));
  });
}

/** A text as a statement has it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A number of a row; null where there is none. */
export function numberOf(row: SqlRow, name: string): number | null {
  const value = row[name];
  return typeof value === "number" ? value : null;
}

/** A text of a row; null where there is none. */
export function textOf(row: SqlRow, name: string): string | null {
  const value = row[name];
  return typeof value === "string" ? value : null;
}
