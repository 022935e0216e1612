// From a pattern to a search of the lines that have it.

/** The search of lines that have the words of a template, in the order in which they stand between its places. */
export function templateQuery(template: string): string {
  return template
    .split(/<(?:num|time|hex|uuid|id|ip|url|path|quoted|\*)>/)
    .map((words) => words.match(/[\p{L}\p{N}_]+(?:.*[\p{L}\p{N}_])?/su)?.[0] ?? "")
    .filter((words) => words !== "")
    .map((words) => `message:"${words.replaceAll(/["\\]/g, "\\$&")}"`)
    .join(" ");
}
