import type { ReactNode } from "react";
import { TONE_SOFT, type Tone } from "./tone";

/** A state in one word. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <span
      className={`inline-flex h-5 items-center whitespace-nowrap rounded px-1.5 font-medium text-xs ${TONE_SOFT[tone]}`}
    >
      {children}
    </span>
  );
}
