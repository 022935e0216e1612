import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

interface Props {
  readonly to: string;
  readonly children: ReactNode;
}

/** A way to what a job names. */
export function Go({ to, children }: Props) {
  return (
    <Link to={to} className={LINK}>
      {children}
    </Link>
  );
}

export const LINK = "underline decoration-line-strong underline-offset-2 hover:decoration-ink";

/** Where things are shown that a job names, by their ids. */
export const documentPath = (id: string) => `/documents/${segment(id)}`;
export const queuePath = (name: string) => `/queues/${segment(name)}`;
export const workerPath = (id: string) => `/workers/${segment(id)}`;
export const tracePath = (id: string) => `/traces/${segment(id)}`;
export const hostPath = (name: string) => `/hosts/${segment(name)}`;

/** A text as one segment of a path. The router would take a dollar for the begin of a parameter. */
function segment(text: string): string {
  return encodeURIComponent(text).replaceAll("$", "%24");
}

/** One job, by its id. */
export function JobLink({ id, bar, children }: { id: string; bar?: string; children?: ReactNode }) {
  return (
    <Link
      to="/jobs/$id"
      params={{ id }}
      search={bar === undefined ? {} : { bar }}
      title={id}
      className={`${LINK} font-mono text-[13px]`}
    >
      {children ?? id}
    </Link>
  );
}
