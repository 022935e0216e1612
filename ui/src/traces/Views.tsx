import { Link } from "@tanstack/react-router";

const LINK =
  "-mb-px border-transparent border-b-2 px-3 py-2 text-muted hover:text-ink aria-[current=page]:border-ink aria-[current=page]:font-medium aria-[current=page]:text-ink";

/** The two ways to look at traces: one by one, and as what they make of services. */
export function Views() {
  return (
    <nav aria-label="Views of traces" className="flex border-line border-b">
      <Link to="/traces" activeOptions={{ exact: true, includeSearch: false }} className={LINK}>
        Search
      </Link>
      <Link to="/traces/map" activeOptions={{ includeSearch: false }} className={LINK}>
        Service map
      </Link>
    </nav>
  );
}
