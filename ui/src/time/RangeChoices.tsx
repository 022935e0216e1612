import { Popover } from "radix-ui";
import { RangeForm } from "./RangeForm";
import { lastOf, RANGES, relativeName, type TimeRange } from "./range";
import { useZone, zoneName } from "./zone";

interface Props {
  readonly range: TimeRange;
  /** What the button says, and its looks. */
  readonly face: string;
  readonly className: string;
  readonly onChoose: (range: TimeRange) => void;
  readonly onClose: () => void;
}

/** The ranges that there are, and two fields for any other. */
export default function RangeChoices({ range, face, className, onChoose, onClose }: Props) {
  const [zone, chooseZone] = useZone();
  const choose = (range: TimeRange) => {
    onChoose(range);
    onClose();
  };
  return (
    <Popover.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Popover.Trigger data-shortcut="time" className={className}>
        {face}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={6}
          collisionPadding={8}
          aria-label="Choose a time range"
          className="z-30 flex w-[440px] max-w-[calc(100vw-16px)] gap-4 rounded-lg border border-line bg-surface p-3 shadow-lg max-sm:flex-col"
        >
          <RangeForm range={range} zone={zone} onChoose={choose} />
          <div className="grid content-start gap-2 sm:w-40">
            <ul aria-label="Ranges that end now" className="grid gap-0.5 max-sm:grid-cols-2">
              {RANGES.map((duration) => (
                <li key={duration} className="grid">
                  <button
                    type="button"
                    aria-pressed={range.to === "now" && range.from === `now-${duration}`}
                    onClick={() => choose(lastOf(duration))}
                    className="rounded-md px-2.5 py-1 text-left first-letter:uppercase hover:bg-raised aria-pressed:bg-raised aria-pressed:font-medium"
                  >
                    {relativeName(lastOf(duration))}
                  </button>
                </li>
              ))}
            </ul>
            <button
              type="button"
              onClick={() => chooseZone(zone === "utc" ? "local" : "utc")}
              className="border-line border-t px-2.5 py-1.5 text-left text-muted text-xs hover:text-ink"
            >
              Times are {zoneName(zone)}. Show {zoneName(zone === "utc" ? "local" : "utc")}
            </button>
          </div>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
