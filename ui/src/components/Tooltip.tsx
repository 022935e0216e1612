import { Tooltip as Radix } from "radix-ui";
import type { ReactNode } from "react";

interface Props {
  readonly text: ReactNode;
  /** One element that takes focus. */
  readonly children: ReactNode;
}

/** A word more about something, on hover and on focus. */
export function Tooltip({ text, children }: Props) {
  return (
    <Radix.Provider delayDuration={250}>
      <Radix.Root>
        <Radix.Trigger asChild>{children}</Radix.Trigger>
        <Radix.Portal>
          <Radix.Content
            sideOffset={6}
            collisionPadding={8}
            className="z-30 max-w-72 rounded-md bg-ink px-2.5 py-1.5 text-surface text-xs shadow-lg"
          >
            {text}
          </Radix.Content>
        </Radix.Portal>
      </Radix.Root>
    </Radix.Provider>
  );
}
