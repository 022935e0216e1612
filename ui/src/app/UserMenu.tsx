import { useLogout, useSession } from "../api/session";
import { Menu } from "../components/Menu";
import { useZone, zoneName } from "../time/zone";
import { useDensity } from "./density";
import { useTheme } from "./theme";

/** Who is logged in, what they can do about it, and how they like the page. */
export function UserMenu({ onHelp }: { readonly onHelp: () => void }) {
  const session = useSession();
  const logout = useLogout();
  const [theme, chooseTheme] = useTheme();
  const [density, chooseDensity] = useDensity();
  const [zone, chooseZone] = useZone();
  const otherTheme = theme === "dark" ? "light" : "dark";
  const otherDensity = density === "compact" ? "comfortable" : "compact";
  const otherZone = zone === "utc" ? "local" : "utc";
  if (!session) return null;
  return (
    <Menu
      face={
        <>
          <span
            aria-hidden="true"
            className="grid size-6 place-items-center rounded-full bg-ink font-semibold text-[11px] text-surface uppercase"
          >
            {session.name.slice(0, 1)}
          </span>
          <span className="max-w-32 truncate max-sm:sr-only">{session.name}</span>
        </>
      }
      className="flex h-8 items-center gap-2 rounded-md px-1.5 hover:bg-raised"
      items={[
        { kind: "word", text: `${session.name}${session.role ? `, ${session.role}` : ""}` },
        { kind: "do", text: `Use the ${otherTheme} theme`, run: () => chooseTheme(otherTheme) },
        { kind: "do", text: `Make it ${otherDensity}`, run: () => chooseDensity(otherDensity) },
        { kind: "do", text: `Show times in ${zoneName(otherZone)}`, run: () => chooseZone(otherZone) },
        { kind: "line" },
        { kind: "do", text: "Keys and help", run: onHelp },
        {
          kind: "go",
          text: "API description",
          link: ({ className, text }) => (
            <a href="/api/openapi.json" className={className}>
              {text}
            </a>
          ),
        },
        { kind: "line" },
        { kind: "do", text: "Log out", run: () => logout.mutate() },
      ]}
    />
  );
}
