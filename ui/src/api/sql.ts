// Asking in SQL: rows by the names of their columns.

import { type Span, timeOf } from "../time/range";
import { post } from "./client";
import type { components } from "./schema";

type Answer = components["schemas"]["SqlAnswer"];

/** One row by the names of its columns. */
export type SqlRow = Readonly<Record<string, unknown>>;

export interface SqlRows {
  readonly rows: readonly SqlRow[];
  /** Whether there were more than asked for. */
  readonly truncated: boolean;
}

/** The rows of a statement, at most so many, and whether there were more. */
export async function askSql(statement: string, limit: number): Promise<SqlRows> {
  const answer = await post<Answer>("/api/v1/sql", { sql: statement, limit });
  return { rows: rowsOf<SqlRow>(answer), truncated: answer.truncated };
}

/** The rows of a statement. What a column holds is what the statement says: it is the caller's to know. */
export async function sql<T = SqlRow>(statement: string, limit = 1_000): Promise<readonly T[]> {
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

/** A number of a row; null where it is none. Large ones come as texts. */
export function numberOf(row: SqlRow, name: string): number | null {
  const value = row[name];
  if (value === null || value === undefined || value === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** A text of a row; null where it is none, or empty. */
export function textOf(row: SqlRow, name: string): string | null {
  const value = row[name];
  return typeof value === "string" && value !== "" ? value : null;
}

/** That `time` lies in a span, as a condition. */
export function within({ start, end }: Span): string {
  return `time >= ${literal(timeOf(start))} AND time <= ${literal(timeOf(end))}`;
}
