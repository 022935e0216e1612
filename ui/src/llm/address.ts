// What the address of the models says.

import { oneOf, type Query, search, text } from "../address/read";

export interface LlmSearch {
  /** The model that is looked at; all of them when it is left out. */
  readonly model?: string;
  /** Whether only calls that failed are listed. */
  readonly calls?: "failed";
}

export function llmSearch(query: Query): LlmSearch {
  return search<LlmSearch>({ model: text(query, "model"), calls: oneOf(query, "calls", ["failed"]) });
}
