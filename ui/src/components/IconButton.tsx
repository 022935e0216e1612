import { Tooltip } from "./Tooltip";

interface Props {
  readonly label: string;
  /** The picture: a path in a box of 24 by 24. */
  readonly path: string;
  readonly onClick: () => void;
}

/** A button that is a picture; its label is read out, and shown by its tooltip. */
export function IconButton({ label, path, onClick }: Props) {
  return (
    <Tooltip text={label}>
      <button
        type="button"
        aria-label={label}
        onClick={onClick}
        className="grid size-8 place-items-center rounded-md text-muted transition-colors hover:bg-raised hover:text-ink"
      >
        <svg aria-hidden="true" viewBox="0 0 24 24" className="size-[18px]" fill="none">
          <path
            d={path}
            stroke="currentColor"
            strokeWidth="1.700"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
        </svg>
      </button>
    </Tooltip>
  );
}
