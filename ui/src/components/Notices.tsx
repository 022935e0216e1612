import type { ReactNode } from "react";
import { Button } from "./Button";

/** Said where there is nothing to show, with what would bring something. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="grid justify-items-center gap-1 px-4 py-8 text-center">
      <p className="font-medium">{title}</p>
      {children !== undefined && <p className="max-w-md text-muted">{children}</p>}
    </div>
  );
}

/** Said where something could not be loaded. */
export function Failure({ error, retry }: { readonly error: Error; readonly retry: () => void }) {
  return (
    <div role="alert" className="grid justify-items-center gap-2 px-4 py-8 text-center">
      <p className="font-medium text-bad">This could not be loaded</p>
      <p className="max-w-md text-muted">{error.message}</p>
      <Button onClick={retry}>Try again</Button>
    </div>
  );
}

/** Holds the place of something that is being loaded. */
export function Loading({ className = "h-24" }: { readonly className?: string }) {
  return (
    <div role="status" className={`animate-pulse rounded-lg bg-raised ${className}`}>
      <span className="sr-only">Loading</span>
    </div>
  );
}
