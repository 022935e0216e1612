import { useMemo } from "react";
import { sparkPath } from "./spark";

interface Props {
  /** What it shows, for those who do not see it. */
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** The value at its upper end; the highest when it is left out. */
  readonly top?: number;
  readonly width?: number;
  readonly height?: number;
  readonly className?: string;
}

/** How something went, as small as a word. */
export function Sparkline({ label, values, top, width = 96, height = 22, className = "" }: Props) {
  const path = useMemo(() => sparkPath(values, width - 2, height - 2, top), [values, width, height, top]);
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`-1 -1 ${width} ${height}`}
      preserveAspectRatio="none"
      className={`text-muted ${className}`}
      width={width}
      height={height}
      fill="none"
    >
      <path
        d={path}
        stroke="currentColor"
        strokeWidth="1.300"
        strokeLinecap="round"
        strokeLinejoin="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
