import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

const LOOK = "underline decoration-line-strong underline-offset-2 hover:decoration-ink";

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

export function JobLink({ id, children }: Props) {
  if (!id) return <>–</>;
  const to: string = `/jobs/${encodeURIComponent(id)}`;
  return (
    <Link to={to} className={`${LOOK} font-mono text-[13px]`} title={id}>
      {children ?? id}
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
  const to: string = "/jobs";
  return (
    <Link to={to} search={{ [of]: id }} className={LOOK}>
      {children}
    </Link>
  );
}
