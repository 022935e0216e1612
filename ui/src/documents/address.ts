// What the address of the documents says.

import { checked, type Query, search, text } from "../address/read";
import { sortingOf } from "../address/sorting";

/** The columns that documents can be sorted by. */
export const DOCUMENT_COLUMNS = [
  "document",
  "state",
  "jobs",
  "attempts",
  "failures",
  "pages",
  "memory",
  "first",
  "last",
  "dwell",
] as const;

export interface DocumentsSearch {
  /** An id or a name, or a part of them; the newest when it is left out. */
  readonly q?: string;
  readonly sort?: string;
}

export function documentsSearch(query: Query): DocumentsSearch {
  return search<DocumentsSearch>({
    q: text(query, "q"),
    sort: checked(query, "sort", (text) => sortingOf(text, DOCUMENT_COLUMNS) !== null),
  });
}
