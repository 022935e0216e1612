import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Dialog } from "../components/Dialog";
import { IconButton } from "../components/IconButton";
import { Logo } from "../components/Logo";
import { TimeRangeControl } from "../time/TimeRangeControl";
import { LiveIndicator } from "./LiveIndicator";
import { AreaList } from "./Sidebar";
import { UserMenu } from "./UserMenu";

const MENU = "M4 7h16M4 12h16M4 17h16";

interface Props {
  readonly onSearch: () => void;
  readonly onHelp: () => void;
}

/** The bar at the top of every view. */
export function Header({ onSearch, onHelp }: Props) {
  return (
    <header className="sticky top-0 z-10 flex h-13 items-center gap-2 border-line border-b bg-surface/90 px-4 backdrop-blur max-sm:px-2 sm:px-6">
      <AreaMenu />
      <Link to="/" className="lg:hidden">
        <Logo />
        <span className="sr-only">Watchkeeper</span>
      </Link>
      <button
        type="button"
        onClick={onSearch}
        className="flex h-8 w-56 items-center justify-between gap-3 rounded-md border border-line bg-raised px-2.5 text-muted hover:border-line-strong max-md:w-auto"
      >
        <span className="max-md:sr-only">Go to …</span>
        <kbd className="font-sans text-xs">Ctrl K</kbd>
      </button>
      <div className="ml-auto flex min-w-0 items-center gap-1.5 max-sm:gap-0">
        <LiveIndicator />
        <TimeRangeControl />
        <UserMenu onHelp={onHelp} />
      </div>
    </header>
  );
}

/** The ways to the areas where there is no room for them at the side. */
function AreaMenu() {
  const [isOpen, open] = useState(false);
  return (
    <span className="lg:hidden">
      <IconButton label="Areas" path={MENU} onClick={() => open(true)} />
      {isOpen && (
        <Dialog
          label="Areas"
          onClose={() => open(false)}
          className="ml-0 h-dvh max-h-dvh w-56 rounded-l-none"
        >
          <div className="h-3" />
          <AreaList onGo={() => open(false)} />
        </Dialog>
      )}
    </span>
  );
}
