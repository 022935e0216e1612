import type { ReactNode } from "react";

/** What is known of something: names and what is so. */
export function Facts({
  children,
  className = "",
}: {
  readonly children: ReactNode;
  readonly className?: string;
}) {
  return (
    <dl
      className={`grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1.5 px-4 pt-1 pb-4 max-sm:grid-cols-1 max-sm:gap-y-0.5 ${className}`}
    >
      {children}
    </dl>
  );
}

/** One of them; nothing where it is not known. */
export function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  if (children === null || children === undefined || children === "") return null;
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 wrap-anywhere max-sm:pb-1">{children}</dd>
    </>
  );
}
