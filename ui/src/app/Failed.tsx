import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { Button } from "../components/Button";

/** Shown in place of a page that could not be shown at all. */
export function Failed({ error, reset }: ErrorComponentProps) {
  return (
    <main className="mx-auto grid max-w-md gap-4 px-4 py-24 text-center">
      <h1 className="font-semibold text-lg">This page could not be shown</h1>
      <p className="text-muted">{error instanceof Error ? error.message : String(error)}</p>
      <div>
        <Button onClick={reset}>Try again</Button>
      </div>
    </main>
  );
}

/** Shown at an address that leads nowhere. */
export function NotFound() {
  return (
    <main className="mx-auto grid max-w-md gap-4 px-4 py-24 text-center">
      <h1 className="font-semibold text-lg">There is nothing here</h1>
      <p>
        <Link to="/" className="underline underline-offset-4">
          To the overview
        </Link>
      </p>
    </main>
  );
}
