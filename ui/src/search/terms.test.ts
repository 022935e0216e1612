import { expect, it } from "vitest";
import {
  boundOf,
  signOf,
  termOf,
  termsOf,
  toggled,
  valuesOf,
  withBound,
  withoutField,
  withTerm,
} from "./terms";

it.each([
  ['level:error "timed out" -retry', ["level:error", '"timed out"', "-retry"]],
  ["service:(ocr OR asr)  x", ["service:(ocr OR asr)", "x"]],
  ["url:/a b/i time:[1 TO 2}", ["url:/a b/i", "time:[1 TO 2}"]],
  ['"a \\" b" c\\ d', ['"a \\" b"', "c\\ d"]],
  ['"open', ['"open']],
  ["http://db7/a b", ["http://db7/a", "b"]],
  ["\\", ["\\"]],
  ["", []],
])("takes %j apart", (query, terms) => {
  expect(termsOf(query)).toEqual(terms);
});

it.each([
  ["service", ["ocr"], "only", "service:ocr"],
  ["service", ["ocr 2", "a"], "only", 'service:("ocr 2" OR a)'],
  ["k8s.io/name", ["-x"], "not", '-"k8s.io/name":"-x"'],
  ["tenant", ["OR"], "only", 'tenant:"OR"'],
  ["tenant", ['<script>"\n'], "only", 'tenant:"<script>\\"\\n"'],
  ["tenant", [null], "only", "-tenant:*"],
  ["tenant", [null], "not", "tenant:*"],
] as const)("writes %s of %j, %s, as %s", (field, values, sign, term) => {
  expect(termOf(field, values, sign)).toBe(term);
  expect(signOf(`x ${term}`, field, values[0])).toBe(sign);
});

it("adds a value, adds another as an alternative, and takes each of them away again", () => {
  const one = toggled("timeout", "service", "ocr", "only");
  expect(one).toBe("timeout service:ocr");
  const two = toggled(one, "service", "a b", "only");
  expect(two).toBe('timeout service:(ocr OR "a b")');
  expect(valuesOf(two, "service")).toEqual(["ocr", "a b"]);
  expect(toggled(two, "service", "ocr", "only")).toBe('timeout service:"a b"');
  expect(toggled(one, "service", "ocr", "only")).toBe("timeout");
});

it("turns a value that is looked for into one that is left out", () => {
  expect(toggled("service:ocr x", "service", "ocr", "not")).toBe("x -service:ocr");
  expect(toggled("-service:ocr", "service", "ocr", "not")).toBe("");
  expect(toggled("service:*", "service", null, "only")).toBe("-service:*");
});

it("leaves a choice between terms whole", () => {
  expect(toggled("a OR service:ocr", "service", "ocr", "only")).toBe("(a OR service:ocr) service:ocr");
  expect(withoutField("a OR service:ocr", "service")).toBe("a OR service:ocr");
  expect(signOf("NOT service:ocr", "service", "ocr")).toBe(null);
  expect(signOf("service:ocr*", "service", "ocr*")).toBe(null);
});

it("leaves out what is said of a field, and nothing else", () => {
  expect(withoutField('level>=warn service:(a OR "b c") -service:d x', "service")).toBe("level>=warn x");
});

it("reads and writes the ends of a range", () => {
  const query = withBound("service:a", "duration", ">=", "2s");
  expect(query).toBe("service:a duration>=2s");
  expect(boundOf(query, "duration", ">=")).toBe("2s");
  expect(boundOf(query, "duration", "<=")).toBe("");
  expect(withBound(query, "duration", ">=", "")).toBe("service:a");
  expect(withTerm("", "a")).toBe("a");
});
