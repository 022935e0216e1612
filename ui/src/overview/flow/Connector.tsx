/** An arrow from one part of the picture to the next; it moves while work flows. */
export function Connector({ flows }: { readonly flows: boolean }) {
  const dash = flows ? "flow-dash" : "";
  return (
    <div className="grid place-items-center py-1 text-line-strong lg:py-0">
      <svg aria-hidden="true" viewBox="0 0 40 16" className="h-4 w-10 max-lg:rotate-90" fill="none">
        <path d="M2 8h32" stroke="currentColor" strokeWidth="1.500" strokeDasharray="4 4" className={dash} />
        <path
          d="m31 3 6 5-6 5"
          stroke="currentColor"
          strokeWidth="1.500"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
    </div>
  );
}
