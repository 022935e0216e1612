import { expect, it } from "vitest";
import { templateQuery } from "./patternQuery";

it.each([
  ["upload of <num> KiB accepted", 'message:"upload of" message:"KiB accepted"'],
  ['page <num>: "<quoted>", done', 'message:"page" message:"done"'],
  ['say "<b>hi</b>" to \\x', 'message:"say \\"<b>hi</b>\\" to \\\\x"'],
  ["<*>", ""],
])("searches for %j by its words", (template, query) => {
  expect(templateQuery(template)).toBe(query);
});
