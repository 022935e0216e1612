import { ago } from "../format/format";
import { wholeMoment } from "../format/time";
import { useZone } from "../time/zone";
import { useNow } from "./now";

/** How long ago a time was; its title is the time itself. */
export function Ago({ time }: { readonly time: string | null | undefined }) {
  const now = useNow();
  const [zone] = useZone();
  if (!time) return <>–</>;
  return (
    <time dateTime={time} title={wholeMoment(Date.parse(time), zone)} className="whitespace-nowrap">
      {ago(time, now)}
    </time>
  );
}
