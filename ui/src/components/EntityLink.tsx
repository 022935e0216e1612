import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** The looks of a link in a text. */
export const LINK = "underline decoration-line-strong underline-offset-2 hover:decoration-ink";

// A box of its own that ends where its text is cut off: what can be pressed is not to reach under what stands beside it.
const LOOK = `inline-block max-w-full truncate align-bottom ${LINK}`;

interface Props {
  /** Its id or name; a dash stands where there is none. */
  readonly id: string | null | undefined;
  /** What the link says; the id, when it is left out. */
  readonly children?: ReactNode;
}

export function QueueLink({ id, children }: Props) {
  if (!id) return <>–</>;
  return (
    <Link to="/queues/$name" params={{ name: id }} className={LOOK} title={id}>
      {children ?? id}
    </Link>
  );
}

export function WorkerLink({ id, children }: Props) {
  if (!id) return <>–</>;
  return (
    <Link to="/workers/$id" params={{ id }} className={LOOK} title={id}>
      {children ?? id}
    </Link>
  );
}

export function DocumentLink({ id, children }: Props) {
  if (!id) return <>–</>;
  return (
    <Link to="/documents/$id" params={{ id }} className={`${LOOK} font-mono text-[13px]`} title={id}>
      {children ?? id}
    </Link>
  );
}

interface JobProps extends Props {
  /** What of the job is opened: an attempt or a stage. */
  readonly bar?: string;
}

export function JobLink({ id, bar, children }: JobProps) {
  if (!id) return <>–</>;
  return (
    <Link
      to="/jobs/$id"
      params={{ id }}
      search={bar === undefined ? {} : { bar }}
      className={`${LOOK} font-mono text-[13px]`}
      title={id}
    >
      {children ?? id}
    </Link>
  );
}

/** A way to a place of app/places.ts. */
export function Go({ to, children }: { readonly to: string; readonly children: ReactNode }) {
  return (
    <Link to={to} className={LINK}>
      {children}
    </Link>
  );
}

/** All jobs of something: a queue's, a worker's, a document's. */
export function JobsLink({
  of,
  id,
  children,
}: {
  readonly of: "queue" | "worker" | "document";
  readonly id: string;
  readonly children: ReactNode;
}) {
  return (
    <Link to="/jobs" search={{ [of]: id }} className={LOOK}>
      {children}
    </Link>
  );
}
