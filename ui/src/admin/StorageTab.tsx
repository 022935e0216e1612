import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { TONE_TEXT } from "../components/tone";
import { bytes, count, seconds } from "../format/format";
import type { Labels } from "../metrics/answer";
import { MetricPanel } from "../metrics/MetricPanel";
import { Counters } from "./Counters";
import { statsQuery } from "./queries";

const perSecond = (value: number) => `${count(value)}/s`;
const named = (text: string) => () => text;

/** What is stored, how much room is left, and whether anything went wrong with it. */
export function StorageTab() {
  return (
    <>
      <Now />
      <div className="grid gap-5 lg:grid-cols-2">
        <MetricPanel
          title="Bytes stored"
          expr='{__name__=~"watchkeeper_store_file_bytes|watchkeeper_store_wal_bytes|watchkeeper_store_head_bytes"}'
          name={whereOf}
          show={bytes}
        />
        <MetricPanel
          title="Free on the disk"
          expr="watchkeeper_store_free_bytes"
          name={named("free")}
          show={bytes}
        />
        <MetricPanel
          title="Rows and samples stored"
          expr='label_replace(rate(watchkeeper_store_rows_total[5m]), "what", "rows", "", "") or label_replace(rate(watchkeeper_store_samples_total[5m]), "what", "samples", "", "")'
          name={whatOf}
          show={perSecond}
        />
        <MetricPanel
          title="Time until durable, 99th percentile"
          expr="histogram_quantile(0.99, sum by (le) (rate(watchkeeper_wal_commit_duration_seconds_bucket[5m])))"
          name={named("a commit to the write-ahead log")}
          show={seconds}
        />
      </div>
      <Counters
        title="What happened to what is stored"
        aside="since Watchkeeper was started"
        pattern="watchkeeper_(store|wal|flush)_.+_total"
        strip={/^watchkeeper_|_total$/g}
        isFault={FAULT}
      />
    </>
  );
}

/** Counters of what should not happen. */
const FAULT =
  /error|corrupt|missing|torn|poison|problem|unread|overloaded|dropped|over_series_limit|too_old|duplicate/;

const WHERE: Record<string, string> = {
  watchkeeper_store_file_bytes: "files",
  watchkeeper_store_wal_bytes: "write-ahead log",
  watchkeeper_store_head_bytes: "in memory, not in files yet",
};

function whereOf({ __name__: name = "" }: Labels): string {
  return WHERE[name] ?? name;
}

function whatOf({ what = "" }: Labels): string {
  return what;
}

function Now() {
  const stats = useQuery(statsQuery);
  const store = stats.data?.store;
  if (!store) {
    return stats.error ? (
      <Failure error={stats.error} retry={() => void stats.refetch()} />
    ) : (
      <Loading className="h-24" />
    );
  }
  return (
    <Panel title="Now">
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 px-4 pb-4 sm:grid-cols-4 xl:grid-cols-7">
        <Figure name="Files">{count(store.files)}</Figure>
        <Figure name="Bytes in files">{bytes(store.file_bytes)}</Figure>
        <Figure name="Write-ahead log">{bytes(store.wal_bytes)}</Figure>
        <Figure name="In memory">{bytes(store.head_bytes)}</Figure>
        <Figure name="Series in memory">{count(store.head_series)}</Figure>
        <Figure name="Free on the disk">{bytes(store.free_bytes)}</Figure>
        <Figure name="Files set aside">
          <span className={store.quarantined_files > 0 ? TONE_TEXT.bad : ""}>
            {count(store.quarantined_files)}
          </span>
        </Figure>
      </dl>
    </Panel>
  );
}

function Figure({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="grid content-start">
      <dt className="text-muted text-xs">{name}</dt>
      <dd className="font-semibold text-lg tabular-nums tracking-tight">{children}</dd>
    </div>
  );
}
