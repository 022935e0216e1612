// What an address says of a view, read with care: what cannot be read is left out, and told of.

import { note } from "./faults";

export type Query = Readonly<Record<string, unknown>>;

/** A value as it stood in the address: the router makes numbers of some, and lists of what is there twice. */
export function textOf(value: unknown): string {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return first === undefined || first === null ? "" : String(first);
}

/** A text that is not empty. */
export function text(query: Query, name: string): string | undefined {
  const value = textOf(query[name]);
  return value.trim() === "" ? undefined : value;
}

/** One of some values. */
export function oneOf<T extends string>(query: Query, name: string, values: readonly T[]): T | undefined {
  const value = textOf(query[name]);
  if (value === "") return undefined;
  const found = values.find((known) => known === value);
  if (found === undefined) note(name, value);
  return found;
}

/** A text that `isRight`. */
export function checked(query: Query, name: string, isRight: (value: string) => boolean): string | undefined {
  const value = textOf(query[name]);
  if (value === "") return undefined;
  if (isRight(value)) return value;
  note(name, value);
  return undefined;
}

/**
 * What a view reads of an address. What is not there is there as undefined: else the router would give the view what
 * stood in the address all the same.
 */
export function search<T extends object>(values: { readonly [K in keyof Required<T>]: T[K] | undefined }): T {
  return values as T;
}
