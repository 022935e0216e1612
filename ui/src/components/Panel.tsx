import { type ReactNode, useId } from "react";

interface Props {
  readonly title: string;
  /** A few words beside the title. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}

/** A titled part of a page. */
export function Panel({ title, aside, children, className = "" }: Props) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className={`min-w-0 rounded-xl border border-line bg-surface shadow-panel ${className}`}
    >
      <div className="flex min-h-11 items-center justify-between gap-3 px-4 pt-2">
        <h2 id={id} className="font-semibold text-[13px]">
          {title}
        </h2>
        {aside !== undefined && <div className="text-muted text-xs">{aside}</div>}
      </div>
      {children}
    </section>
  );
}
