/** The mark of Watchkeeper: an open eye. */
export function Logo({ size = 26 }: { readonly size?: number }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 32 32" width={size} height={size} className="text-ink">
      <rect width="32" height="32" rx="8" fill="currentColor" />
      <g className="text-surface">
        <path
          d="M6.500 16S10 9.500 16 9.500 25.500 16 25.500 16 22 22.500 16 22.500 6.500 16 6.500 16Z"
          fill="none"
          stroke="currentColor"
          strokeWidth="2.200"
          strokeLinejoin="round"
        />
        <circle cx="16" cy="16" r="3.200" fill="currentColor" />
      </g>
    </svg>
  );
}
