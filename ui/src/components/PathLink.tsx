import { useRouter } from "@tanstack/react-router";
import type { MouseEvent, ReactNode } from "react";

interface Props {
  /** The path of a page, with what else its address says: `/queues/llm`, `/logs?q=level:error`. */
  readonly href: string;
  readonly className?: string;
  readonly children: ReactNode;
}

/** A link to a page of ours by its address alone, where that follows from data. The range of time stays. */
export function PathLink({ href, className = "underline underline-offset-2", children }: Props) {
  const router = useRouter();
  const follow = (event: MouseEvent) => {
    // Other tabs and windows are the browser's.
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void router.navigate({ href });
  };
  return (
    <a href={href} onClick={follow} className={className}>
      {children}
    </a>
  );
}
