import { type ReactNode, useEffect, useRef } from "react";

interface Props {
  readonly label: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly className?: string;
}

/** Something in front of the page, by the browser's own means: it holds the focus, and Escape closes it. */
export function Dialog({ label, onClose, children, className = "" }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    // When it goes from the page, it needs no closing.
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: by keyboard it is closed by Escape
    <dialog
      ref={dialog}
      aria-label={label}
      onClose={onClose}
      // A click beside what is shown is one on the dialog itself.
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current.close();
      }}
      className={`m-auto rounded-xl border border-line bg-surface p-0 text-ink shadow-lg backdrop:bg-black/40 ${className}`}
    >
      {children}
    </dialog>
  );
}
