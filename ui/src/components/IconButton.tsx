import { Icon } from "./Icon";
import { Tooltip } from "./Tooltip";

interface Props {
  readonly label: string;
  /** The picture: a path in a box of 24 by 24. */
  readonly path: string;
  readonly onClick: () => void;
  readonly disabled?: boolean;
}

/** A button that is a picture; its label is read out, and shown by its tooltip. */
export function IconButton({ label, path, onClick, disabled = false }: Props) {
  return (
    <Tooltip text={label}>
      <button
        type="button"
        aria-label={label}
        aria-disabled={disabled}
        onClick={disabled ? undefined : onClick}
        className="grid size-8 place-items-center rounded-md text-muted transition-colors hover:bg-raised hover:text-ink aria-disabled:opacity-40"
      >
        <Icon path={path} />
      </button>
    </Tooltip>
  );
}
