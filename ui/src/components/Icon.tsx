interface Props {
  /** A path in a box of 24 by 24. */
  readonly path: string;
  readonly className?: string;
}

/** A picture in lines, in the colour of the text. */
export function Icon({ path, className = "size-[18px]" }: Props) {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" className={`shrink-0 ${className}`} fill="none">
      <path d={path} stroke="currentColor" strokeWidth="1.700" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
