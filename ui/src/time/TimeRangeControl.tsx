import { lazy, Suspense, useState } from "react";
import { IconButton } from "../components/IconButton";
import { useReturnedFocus } from "../components/useReturnedFocus";
import { moment } from "../format/time";
import { isLive, relativeName, type Span, shifted, type TimeRange, toggled, widened } from "./range";
import { spanNow, useSetTimeRange, useTimeRange } from "./useTimeRange";
import { useZone, type Zone } from "./zone";

const EARLIER = "M15 5l-7 7 7 7";
const LATER = "M9 5l7 7-7 7";
const WIDER = "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13ZM15.500 15.500 21 21M7.500 10.500h6";
const PAUSE = "M9 6v12M15 6v12";
const PLAY = "M8 5.500v13l10.500-6.500Z";

/** Which range of time every view shows, and the ways to another. */
export function TimeRangeControl() {
  const range = useTimeRange();
  const go = useSetTimeRange();
  const live = isLive(range);
  const move = (make: (span: Span, now: number) => TimeRange) => go(make(spanNow(range), Date.now()));
  return (
    <fieldset aria-label="Time range" className="flex items-center">
      <IconButton
        label="Earlier"
        path={EARLIER}
        onClick={() => move((span, now) => shifted(span, -1, now))}
      />
      <Choices range={range} onChoose={go} />
      <IconButton
        label="Later"
        path={LATER}
        disabled={live}
        onClick={() => move((span, now) => shifted(span, 1, now))}
      />
      <span className="flex max-md:hidden">
        <IconButton label="Zoom out" path={WIDER} onClick={() => move(widened)} />
      </span>
      <IconButton
        label={live ? "Pause: hold the time that is shown" : "Go live"}
        path={live ? PAUSE : PLAY}
        onClick={() => move((span, now) => toggled(range, span, now))}
      />
    </fieldset>
  );
}

const load = () => import("./RangeChoices");
const RangeChoices = lazy(load);

interface Props {
  readonly range: TimeRange;
  readonly onChoose: (range: TimeRange) => void;
}

const FACE = "h-8 max-w-64 truncate rounded-md px-2 font-medium tabular-nums hover:bg-raised";

function Choices({ range, onChoose }: Props) {
  const [isOpen, open] = useState(false);
  const [zone] = useZone();
  const button = useReturnedFocus(isOpen);
  const closed = (
    <button
      ref={button}
      type="button"
      data-shortcut="time"
      aria-haspopup="dialog"
      aria-expanded={false}
      className={FACE}
      onPointerEnter={() => void load()}
      onFocus={() => void load()}
      onClick={() => open(true)}
    >
      {rangeName(range, zone)}
    </button>
  );
  if (!isOpen) return closed;
  return (
    <Suspense fallback={closed}>
      <RangeChoices
        range={range}
        face={rangeName(range, zone)}
        className={FACE}
        onChoose={onChoose}
        onClose={() => open(false)}
      />
    </Suspense>
  );
}

/** A range as the control tells it: `Last 6 hours`, `30 Nov, 12:00 – 14:00`. */
function rangeName(range: TimeRange, zone: Zone): string {
  const name = relativeName(range);
  if (name !== null) return name.charAt(0).toUpperCase() + name.slice(1);
  const { start, end } = spanNow(range);
  const first = moment(start * 1000, zone, "minute");
  const isOneDay = moment(start * 1000, zone, "day") === moment(end * 1000, zone, "day");
  return `${first} – ${moment(end * 1000, zone, isOneDay ? "clock" : "minute")}`;
}
