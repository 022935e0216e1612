import { DropdownMenu } from "radix-ui";
import { useLogout, useSession } from "../api/session";
import { useZone, zoneName } from "../time/zone";
import { useDensity } from "./density";
import { useTheme } from "./theme";

const ITEM =
  "flex cursor-pointer items-center rounded px-2.5 py-1.5 outline-none data-[highlighted]:bg-raised data-[highlighted]:text-ink";

/** Who is logged in, and what they can do about it. */
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
    // Not modal: a modal one writes styles into the page, which the page's policy forbids.
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="flex h-8 items-center gap-2 rounded-md px-1.5 hover:bg-raised">
        <span
          aria-hidden="true"
          className="grid size-6 place-items-center rounded-full bg-ink font-semibold text-[11px] text-surface uppercase"
        >
          {session.name.slice(0, 1)}
        </span>
        <span className="max-w-32 truncate max-sm:sr-only">{session.name}</span>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={6}
          className="z-20 min-w-44 rounded-lg border border-line bg-surface p-1 shadow-lg"
        >
          <DropdownMenu.Label className="px-2.5 py-1.5 text-muted text-xs">
            {session.name}
            {session.role ? `, ${session.role}` : ""}
          </DropdownMenu.Label>
          <DropdownMenu.Item className={ITEM} onSelect={() => chooseTheme(otherTheme)}>
            Use the {otherTheme} theme
          </DropdownMenu.Item>
          <DropdownMenu.Item className={ITEM} onSelect={() => chooseDensity(otherDensity)}>
            Make it {otherDensity}
          </DropdownMenu.Item>
          <DropdownMenu.Item className={ITEM} onSelect={() => chooseZone(otherZone)}>
            Show times in {zoneName(otherZone)}
          </DropdownMenu.Item>
          <DropdownMenu.Separator className="my-1 h-px bg-line" />
          <DropdownMenu.Item className={ITEM} onSelect={onHelp}>
            Keys and help
          </DropdownMenu.Item>
          <DropdownMenu.Item asChild className={ITEM}>
            <a href="/api/openapi.json">API description</a>
          </DropdownMenu.Item>
          <DropdownMenu.Separator className="my-1 h-px bg-line" />
          <DropdownMenu.Item className={ITEM} onSelect={() => logout.mutate()}>
            Log out
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
