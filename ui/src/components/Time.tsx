import { moment, wholeMoment } from "../format/time";
import { useZone } from "../time/zone";

interface Props {
  /** In RFC 3339. */
  readonly at: string | null | undefined;
  readonly style?: "minute" | "second" | "millisecond";
}

/** A time in the zone that is chosen; its title is the whole of it. */
export function Time({ at, style = "second" }: Props) {
  const [zone] = useZone();
  if (!at) return <>–</>;
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={wholeMoment(time, zone)} className="whitespace-nowrap tabular-nums">
      {moment(time, zone, style)}
    </time>
  );
}
