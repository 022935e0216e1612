import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

interface Props {
  readonly to: string;
  readonly children: ReactNode;
}

/** A way to something that a signal names, as a small button. */
export function ThingLink({ to, children }: Props) {
  return (
    <Link
      to={to}
      className="inline-flex min-h-7 max-w-full items-center truncate rounded-md border border-line-strong bg-surface px-2 text-xs hover:bg-raised"
    >
      {children}
    </Link>
  );
}
