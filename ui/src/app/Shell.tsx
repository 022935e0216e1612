import { Outlet, useRouter } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { AddressFaults } from "../address/AddressFaults";
import { useSession } from "../api/session";
import { useLiveStream } from "../live/stream";
import { Header } from "./Header";
import { HelpSheet } from "./HelpSheet";
import { Sidebar } from "./Sidebar";
import { useShortcuts } from "./useShortcuts";

const CommandPalette = lazy(() => import("../palette/CommandPalette"));

/** The frame around every view: the ways to others, the range of time, and the live stream while anybody looks. */
export function Shell() {
  const isLoggedIn = useSession() !== null;
  const router = useRouter();
  const [front, show] = useState<"palette" | "help" | null>(null);
  const search = useCallback(() => show("palette"), []);
  const help = useCallback(() => show("help"), []);
  const close = useCallback(() => show(null), []);
  useLiveStream();
  useShortcuts({ search, help });
  // A session may end elsewhere: the route's own check leads to the login.
  useEffect(() => {
    if (!isLoggedIn) void router.invalidate();
  }, [isLoggedIn, router]);
  return (
    <div className="flex min-h-dvh">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:z-20 focus:m-2 focus:rounded-md focus:bg-surface focus:px-3 focus:py-2"
      >
        Skip to the content
      </a>
      <Sidebar />
      <div className="min-w-0 flex-1">
        <Header onSearch={search} onHelp={help} />
        <main id="content" className="mx-auto w-full max-w-[1600px] px-4 pt-5 pb-16 max-sm:px-3 sm:px-6">
          <AddressFaults />
          <Outlet />
        </main>
      </div>
      {front === "palette" && (
        <Suspense fallback={null}>
          <CommandPalette onClose={close} />
        </Suspense>
      )}
      {front === "help" && <HelpSheet onClose={close} />}
    </div>
  );
}
