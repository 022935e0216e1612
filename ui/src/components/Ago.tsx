import { ago } from "../format/format";
import { useNow } from "./now";

/** How long ago a time was; its title is the time itself. */
export function Ago({ time }: { readonly time: string | null | undefined }) {
  const now = useNow();
  if (!time) return <>–</>;
  return (
    <time dateTime={time} title={new Date(time).toLocaleString()} className="whitespace-nowrap">
      {ago(time, now)}
    </time>
  );
}
