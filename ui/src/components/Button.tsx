import type { ButtonHTMLAttributes } from "react";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** The one thing that a form is for. */
  readonly primary?: boolean;
}

const SHAPE = "h-8 rounded-md px-3 font-medium transition-colors disabled:opacity-50";
const PRIMARY = "bg-ink text-surface hover:bg-ink/85";
const PLAIN = "border border-line-strong bg-surface hover:bg-raised";

/** A button. */
export function Button({ primary = false, className = "", type = "button", ...rest }: Props) {
  return <button type={type} className={`${SHAPE} ${primary ? PRIMARY : PLAIN} ${className}`} {...rest} />;
}
