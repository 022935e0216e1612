import type { ReactNode } from "react";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";

interface Props {
  readonly title: string;
  /** What it means. */
  readonly children: ReactNode;
  /** What the button says that does it. */
  readonly action: string;
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly onDo: () => void;
  readonly onClose: () => void;
}

/** Asks once more before something goes for good. */
export function Removal({ title, children, action, isPending, error, onDo, onClose }: Props) {
  return (
    <Dialog label={title} onClose={onClose} className="w-[440px] max-w-[calc(100vw-16px)]">
      <div className="grid gap-3 p-5">
        <h2 className="wrap-anywhere font-semibold text-base">{title}</h2>
        <p className="wrap-anywhere text-muted">{children}</p>
        {error && (
          <p role="alert" className="text-bad">
            {error.message}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button primary disabled={isPending} onClick={onDo}>
            {action}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
