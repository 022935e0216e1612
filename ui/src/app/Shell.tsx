import { Outlet, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { useSession } from "../api/session";
import { useLiveStream } from "../live/stream";
import { Header } from "./Header";

/** The frame around every view: the header, and the live stream while anybody looks. */
export function Shell() {
  const isLoggedIn = useSession() !== null;
  const router = useRouter();
  useLiveStream();
  // A session may end elsewhere: the route's own check leads to the login.
  useEffect(() => {
    if (!isLoggedIn) void router.invalidate();
  }, [isLoggedIn, router]);
  return (
    <>
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:z-20 focus:m-2 focus:rounded-md focus:bg-surface focus:px-3 focus:py-2"
      >
        Skip to the content
      </a>
      <Header />
      <main id="content" className="mx-auto w-full max-w-[1440px] px-4 pt-5 pb-16 sm:px-6">
        <Outlet />
      </main>
    </>
  );
}
