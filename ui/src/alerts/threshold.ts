// The number that a rule's expression is compared with, where it is a plain one.

export interface Threshold {
  /** What is compared. */
  readonly expr: string;
  readonly operator: string;
  readonly value: number;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
/** Words that join expressions, which are no comparison of one thing with one number. */
const JOINS = /^(and|or|unless)\b/;

/**
 * Takes `expr > number` apart; null of anything else. It is not the grammar of PromQL: it looks for one comparison
 * outside of brackets and texts, with nothing but a number after it.
 */
export function thresholdOf(query: string): Threshold | null {
  const text = query.trim();
  let depth = 0;
  let found: { readonly at: number; readonly operator: string } | null = null;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (sign === "#") return null;
    if (sign === '"' || sign === "'" || sign === "`") {
      at = endOfText(text, at);
    } else if ("([{".includes(sign)) {
      depth += 1;
    } else if (")]}".includes(sign)) {
      depth -= 1;
    } else if (depth === 0) {
      const before = text.charAt(at - 1);
      if (JOINS.test(text.slice(at)) && !/[\w:]/.test(before)) return null;
      const operator = /^(==|!=|>=|<=|>|<)/.exec(text.slice(at))?.[0];
      if (operator === undefined) continue;
      if (found) return null;
      found = { at, operator };
      at += operator.length - 1;
    }
  }
  if (!found || depth !== 0) return null;
  const expr = text.slice(0, found.at).trim();
  const number = text.slice(found.at + found.operator.length).trim();
  if (expr === "" || !NUMBER.test(number)) return null;
  return { expr, operator: found.operator, value: Number(number) };
}

/** The place of the quote that ends a text; the last place where none does. */
function endOfText(text: string, start: number): number {
  const quote = text.charAt(start);
  for (let at = start + 1; at < text.length; at += 1) {
    if (text.charAt(at) === "\\" && quote !== "`") at += 1;
    else if (text.charAt(at) === quote) return at;
  }
  return text.length;
}
