// Reading and changing a search by its terms, as facets and filters do. The server alone understands the language
// whole (docs/search.md): what is not recognised here stays as it was written.

/** Whether records with a value are looked for, or those without it. */
export type Sign = "only" | "not";

/** The terms of the outermost level, as they were written. What stands in brackets or quotes is not taken apart. */
export function termsOf(query: string): string[] {
  const terms: string[] = [];
  let [begin, depth, place] = [-1, 0, 0];
  const end = () => {
    if (begin >= 0) terms.push(query.slice(begin, place));
    begin = -1;
  };
  for (; place < query.length; place += 1) {
    const sign = query.charAt(place);
    if (/\s/.test(sign) && depth === 0) {
      end();
      continue;
    }
    if (begin < 0) begin = place;
    if (sign === "\\") place += 1;
    else if (sign === '"') place = closing(query, place, '"');
    else if (sign === "/" && isRegex(query, begin, place)) place = closing(query, place, "/");
    else if ("([{".includes(sign)) depth += 1;
    else if (")]}".includes(sign)) depth = Math.max(0, depth - 1);
  }
  place = Math.min(place, query.length);
  end();
  return terms;
}

/** The place of the sign that ends what begins at `from`; the last one of the query when none does. */
function closing(query: string, from: number, sign: string): number {
  for (let place = from + 1; place < query.length; place += 1) {
    if (query.charAt(place) === "\\") place += 1;
    else if (query.charAt(place) === sign) return place;
  }
  return query.length;
}

function isRegex(query: string, begin: number, place: number): boolean {
  return place === begin || ":=(".includes(query.charAt(place - 1));
}

/** Whether it is a choice between terms: then no term alone says what is found. */
function isChoice(terms: readonly string[]): boolean {
  return terms.some((term) => term === "OR" || term === "||");
}

const PLAIN_NAME = /^[\p{L}_@][\p{L}\p{N}_.-]*$/u;
const PLAIN_VALUE = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u;

function quoted(text: string): string {
  const written = text
    .replaceAll(/["\\]/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\t")
    .replaceAll("\r", "\\r");
  return `"${written}"`;
}

function unquoted(text: string): string {
  if (!text.startsWith('"') || !text.endsWith('"') || text.length < 2) return text;
  const letters: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };
  return text.slice(1, -1).replaceAll(/\\(.)/gs, (_, sign: string) => letters[sign] ?? sign);
}

function nameOf(field: string): string {
  return PLAIN_NAME.test(field) ? field : quoted(field);
}

function valueText(value: string): string {
  const isPlain = PLAIN_VALUE.test(value) && !value.includes("..") && !/^(AND|OR|NOT|TO)$/.test(value);
  return isPlain ? value : quoted(value);
}

/** The term that finds records with one of some values of a field; null stands for none at all. */
export function termOf(field: string, values: readonly (string | null)[], sign: Sign = "only"): string {
  const [first] = values;
  const some = values.filter((value) => value !== null).map(valueText);
  if (first === undefined || first === null) return `${sign === "only" ? "-" : ""}${nameOf(field)}:*`;
  const list = some.length === 1 ? some[0] : `(${some.join(" OR ")})`;
  return `${sign === "not" ? "-" : ""}${nameOf(field)}:${list}`;
}

interface Chosen {
  readonly sign: Sign;
  /** A single null stands for records without a value. */
  readonly values: readonly (string | null)[];
}

/** What a term says of a field; null when it is about something else, or not a list of values. */
function read(term: string, field: string): Chosen | null {
  const isNegative = term.startsWith("-");
  const rest = isNegative ? term.slice(1) : term;
  const name = [nameOf(field), quoted(field)].find((name) => rest.startsWith(`${name}:`));
  if (name === undefined) return null;
  const said = rest.slice(name.length + 1);
  // That it has any value at all is the opposite of that it has none.
  if (said === "*") return { sign: isNegative ? "only" : "not", values: [null] };
  const isList = said.startsWith("(") && said.endsWith(")");
  const parts = isList ? termsOf(said.slice(1, -1)).filter((part) => part !== "OR") : [said];
  const isSimple = parts.every((part) => part.startsWith('"') || PLAIN_VALUE.test(part));
  if (!isSimple || parts.length === 0) return null;
  return { sign: isNegative ? "not" : "only", values: parts.map(unquoted) };
}

/** How a search decides on a value of a field; null where it does not. */
export function signOf(query: string, field: string, value: string | null): Sign | null {
  const terms = termsOf(query);
  if (isChoice(terms)) return null;
  for (const [place, term] of terms.entries()) {
    if (terms[place - 1] === "NOT") continue;
    const chosen = read(term, field);
    if (chosen?.values.includes(value)) return chosen.sign;
  }
  return null;
}

/** The values of a field that a search is narrowed to. */
export function valuesOf(query: string, field: string): readonly (string | null)[] {
  const terms = termsOf(query);
  if (isChoice(terms)) return [];
  return terms.flatMap((term, place) => {
    const chosen = terms[place - 1] === "NOT" ? null : read(term, field);
    return chosen?.sign === "only" ? chosen.values : [];
  });
}

/** The search with what it says of the values of a field left out. */
export function withoutField(query: string, field: string): string {
  const terms = termsOf(query);
  if (isChoice(terms)) return query;
  return terms.filter((term, place) => terms[place - 1] === "NOT" || read(term, field) === null).join(" ");
}

/** The search with one more term. */
export function withTerm(query: string, term: string): string {
  const terms = termsOf(query);
  if (terms.length === 0) return term;
  return isChoice(terms) ? `(${query.trim()}) ${term}` : `${query.trim()} ${term}`;
}

/**
 * The search with a value of a field looked for or left out; without that, when it was so already. Further values of a
 * field that is looked for are alternatives.
 */
export function toggled(query: string, field: string, value: string | null, sign: Sign): string {
  const was = signOf(query, field, value);
  const terms = termsOf(query);
  const kept = was === null ? query : without(terms, field, value);
  if (was === sign) return kept;
  const others = sign === "only" && value !== null ? valuesOf(kept, field).filter((one) => one !== null) : [];
  if (others.length === 0) return withTerm(kept, termOf(field, [value], sign));
  return termsOf(kept)
    .map((term) => (read(term, field)?.sign === "only" ? termOf(field, [...others, value]) : term))
    .join(" ");
}

function without(terms: readonly string[], field: string, value: string | null): string {
  return terms
    .flatMap((term) => {
      const chosen = read(term, field);
      if (!chosen?.values.includes(value)) return [term];
      const rest = chosen.values.filter((one) => one !== value);
      return rest.length === 0 ? [] : [termOf(field, rest, chosen.sign)];
    })
    .join(" ");
}

/** What a search compares a field with by `>=`, `<=`: `duration>=2s`. Empty where it does not. */
export function boundOf(query: string, field: string, comparison: ">=" | "<="): string {
  const terms = termsOf(query);
  if (isChoice(terms)) return "";
  const start = `${nameOf(field)}${comparison}`;
  return terms.find((term) => term.startsWith(start))?.slice(start.length) ?? "";
}

/** The search with another such comparison; without one, where the value is empty. */
export function withBound(query: string, field: string, comparison: ">=" | "<=", value: string): string {
  const start = `${nameOf(field)}${comparison}`;
  const terms = termsOf(query);
  const kept = isChoice(terms) ? query : terms.filter((term) => !term.startsWith(start)).join(" ");
  return value.trim() === "" ? kept : withTerm(kept, `${start}${value.trim()}`);
}
