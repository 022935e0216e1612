import { getRouteApi, Link } from "@tanstack/react-router";

const route = getRouteApi("/shell/explore");

interface Props {
  /** What the time is to the result: a graph goes until then, a table is of then. */
  readonly word: "Until" | "At";
  readonly end: string;
}

/** The time that the address names instead of now, and the way back to now. */
export function EndTime({ word, end }: Props) {
  const { end: _, ...rest } = route.useSearch();
  return (
    <p className="text-muted text-xs">
      {word} <time dateTime={end}>{new Date(end).toLocaleString("en-GB")}</time>.{" "}
      <Link to="/explore" search={rest} className="text-ink underline underline-offset-2">
        Back to now
      </Link>
    </p>
  );
}
