import { lazy, type ReactNode, Suspense, useState } from "react";
import { useReturnedFocus } from "./useReturnedFocus";

/** What a menu offers: something to do, a way to a page, a word about what follows, or a line between. */
export type MenuItem =
  | { readonly kind: "do"; readonly text: string; readonly run: () => void; readonly disabled?: boolean }
  | {
      readonly kind: "go";
      readonly text: string;
      readonly link: (face: { className: string; text: string }) => ReactNode;
    }
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "line" };

export interface MenuProps {
  /** What the button is called, where its face does not say it. */
  readonly label?: string;
  readonly face: ReactNode;
  readonly className: string;
  readonly items: readonly MenuItem[];
}

const load = () => import("./OpenMenu");
const OpenMenu = lazy(load);

/** A button with a menu, whose code comes when somebody is about to open it. */
export function Menu(props: MenuProps) {
  const { label, face, className } = props;
  const [isOpen, open] = useState(false);
  const button = useReturnedFocus(isOpen);
  const closed = (
    <button
      ref={button}
      type="button"
      aria-label={label}
      aria-haspopup="menu"
      aria-expanded={false}
      className={className}
      onPointerEnter={() => void load()}
      onFocus={() => void load()}
      onClick={() => open(true)}
    >
      {face}
    </button>
  );
  if (!isOpen) return closed;
  return (
    <Suspense fallback={closed}>
      <OpenMenu {...props} onClose={() => open(false)} />
    </Suspense>
  );
}
