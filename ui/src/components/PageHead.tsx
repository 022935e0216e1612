import type { ReactNode } from "react";

interface Props {
  readonly title: string;
  /** Where one comes from: a link. */
  readonly above?: ReactNode;
  /** Its state, beside the title. */
  readonly badge?: ReactNode;
  /** A sentence below. */
  readonly children?: ReactNode;
  /** What can be done with it. */
  readonly aside?: ReactNode;
}

/** The head of a view: what it is about. */
export function PageHead({ title, above, badge, children, aside }: Props) {
  return (
    <div className="flex flex-wrap items-end justify-between gap-x-8 gap-y-3">
      <div className="grid min-w-0 gap-1">
        {above !== undefined && <p className="text-muted">{above}</p>}
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h1 className="wrap-anywhere font-semibold text-xl tracking-tight">{title}</h1>
          {badge}
        </div>
        {children !== undefined && <div className="text-muted">{children}</div>}
      </div>
      {aside}
    </div>
  );
}
