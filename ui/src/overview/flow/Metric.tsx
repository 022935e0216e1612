interface Props {
  readonly term: string;
  readonly value: string;
  /** The colour of a state, where the value means one. */
  readonly className?: string;
}

/** A small number with its name. */
export function Metric({ term, value, className = "" }: Props) {
  return (
    <div className="min-w-0">
      <dt className="truncate text-muted text-xs">{term}</dt>
      <dd className={`truncate tabular-nums ${className}`}>{value}</dd>
    </div>
  );
}
