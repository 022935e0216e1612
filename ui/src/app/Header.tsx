import { Link } from "@tanstack/react-router";
import { Logo } from "../components/Logo";
import { LiveIndicator } from "./LiveIndicator";
import { Navigation } from "./Navigation";
import { ThemeButton } from "./ThemeButton";
import { UserMenu } from "./UserMenu";

/** The bar at the top of every view. */
export function Header() {
  return (
    <header className="sticky top-0 z-10 border-line border-b bg-surface/90 backdrop-blur">
      <div className="mx-auto flex h-13 max-w-[1440px] items-center gap-3 px-4 sm:px-6">
        <Link to="/" className="flex items-center gap-2.5 font-semibold text-[15px] tracking-tight">
          <Logo />
          <span className="max-sm:sr-only">Watchkeeper</span>
        </Link>
        <Navigation />
        <div className="ml-auto flex min-w-0 items-center gap-1.5">
          <LiveIndicator />
          <ThemeButton />
          <UserMenu />
        </div>
      </div>
    </header>
  );
}
