// Money as people read it.

import { UNKNOWN } from "../format/format";

const large = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });
const small = new Intl.NumberFormat("en", {
  style: "currency",
  currency: "USD",
  minimumFractionDigits: 2,
  maximumFractionDigits: 4,
});

/** US dollars; of less than a dollar, parts of cents too. */
export function dollars(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  return Math.abs(value) < 1 ? small.format(value) : large.format(value);
}
