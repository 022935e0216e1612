import { Link } from "@tanstack/react-router";
import { Icon } from "../components/Icon";
import { Logo } from "../components/Logo";
import { type Area, GROUPS } from "./areas";

/** The ways to the areas, at the side where there is room. */
export function Sidebar() {
  return (
    <aside className="sticky top-0 flex h-dvh w-48 shrink-0 flex-col overflow-y-auto border-line border-r bg-surface max-lg:hidden">
      <Link
        to="/"
        className="flex h-13 shrink-0 items-center gap-2.5 px-4 font-semibold text-[15px] tracking-tight"
      >
        <Logo />
        Watchkeeper
      </Link>
      <AreaList />
    </aside>
  );
}

/** All areas. A view is the same one whatever else its address says. */
export function AreaList({ onGo }: { readonly onGo?: () => void }) {
  return (
    <nav aria-label="Areas" className="grid content-start gap-4 px-2 pt-1 pb-4">
      {GROUPS.map(({ name, areas }) => (
        <div key={name ?? ""} className="grid gap-0.5">
          {name !== null && <p className="px-2 pb-0.5 text-muted text-xs">{name}</p>}
          {areas.map((area) => (
            <AreaLink key={area.to} area={area} onGo={onGo} />
          ))}
        </div>
      ))}
    </nav>
  );
}

function AreaLink({ area, onGo }: { readonly area: Area; readonly onGo: (() => void) | undefined }) {
  return (
    <Link
      to={area.to}
      activeOptions={{ exact: area.to === "/", includeSearch: false }}
      onClick={onGo}
      className="flex h-8 items-center gap-2.5 rounded-md px-2 text-muted transition-colors hover:bg-raised hover:text-ink aria-[current=page]:bg-raised aria-[current=page]:font-medium aria-[current=page]:text-ink"
    >
      <Icon path={area.icon} />
      {area.name}
    </Link>
  );
}
