import { Link } from "@tanstack/react-router";

const LINK =
  "rounded-md px-2.5 py-1.5 text-muted transition-colors hover:text-ink aria-[current=page]:bg-raised aria-[current=page]:font-medium aria-[current=page]:text-ink max-sm:px-2";

/** The ways to the views. A view is the same one whatever else its address says. */
export function Navigation() {
  const isExact = { exact: true, includeSearch: false };
  return (
    <nav aria-label="Views" className="flex items-center gap-0.5">
      <Link to="/" activeOptions={isExact} className={LINK}>
        Overview
      </Link>
      <Link to="/explore" activeOptions={isExact} className={LINK}>
        Explore
      </Link>
    </nav>
  );
}
