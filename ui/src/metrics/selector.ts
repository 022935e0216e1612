// Selectors of PromQL that the page itself writes.

import { quoted } from "./labels";

/** `{queue="ocr"}`, whatever is in the value. */
export function selector(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels)
    .map(([label, value]) => `${label}=${quoted(value)}`)
    .join(", ")}}`;
}
