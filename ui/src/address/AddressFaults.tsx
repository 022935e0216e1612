import { Button } from "../components/Button";
import { dismiss, useFaults } from "./faults";

/** Says what of the address was not understood, and that the view shows what it shows without it. */
export function AddressFaults() {
  const faults = useFaults();
  if (faults.length === 0) return null;
  return (
    <div
      role="status"
      className="mb-4 flex flex-wrap items-center justify-between gap-3 rounded-lg bg-warn-soft px-3 py-2 text-warn"
    >
      <p className="min-w-0 wrap-anywhere">
        The address was not understood in part, and is shown without it:{" "}
        {faults.map(({ name, value }, place) => (
          <span key={name + value}>
            {place > 0 && ", "}
            <code>
              {name}={value}
            </code>
          </span>
        ))}
      </p>
      <Button onClick={dismiss}>Dismiss</Button>
    </div>
  );
}
