// Asking in SQL: rows by the names of their columns.

import { post } from "./client";
import type { components } from "./schema";

type Answer = components["schemas"]["SqlAnswer"];

/** The rows of a statement. What a column holds is what the statement says: it is the caller's to know. */
export async function sql<T>(statement: string, limit = 1_000): Promise<readonly T[]> {
  return rowsOf<T>(await post<Answer>("/api/v1/sql", { sql: statement, limit }));
}

/** The rows of an answer, each with its values by the names of columns. */
export function rowsOf<T>({ columns, rows }: Pick<Answer, "columns" | "rows">): readonly T[] {
  return rows.map(
    (row) => Object.fromEntries(columns.map(({ name }, place) => [name, row[place] ?? null])) as T,
  );
}

/** A text as a statement has it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
