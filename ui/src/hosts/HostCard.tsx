import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Host } from "../api/types";
import { Ago } from "../components/Ago";
import { Sparkline } from "../components/chart/Sparkline";
import { Panel } from "../components/Panel";
import { bytes, ratio } from "../format/format";
import { matchers } from "../metrics/quantiles";
import { graphQuery } from "../metrics/queries";
import { rateWindow } from "../metrics/window";
import { useTimeRange } from "../time/useTimeRange";
import { HostGauges } from "./HostGauges";

const load = (value: number) => value.toFixed(2);
const perSecond = (value: number) => `${bytes(value)}/s`;

/** A host in a few numbers and small lines; the whole of it is one press away. */
export function HostCard({ host }: { readonly host: Host }) {
  const window = rateWindow(useTimeRange());
  const chosen = matchers({ host: host.host });
  const flow = (metric: string) => `sum(rate(${metric}{${chosen}}[${window}]))`;
  return (
    <Panel
      title={host.host}
      aside={
        <Link
          to="/hosts/$name"
          params={{ name: host.host }}
          className="underline decoration-line-strong underline-offset-2 hover:text-ink"
        >
          Everything about {host.host}
        </Link>
      }
    >
      <div className="grid gap-3 px-4 pb-4">
        <HostGauges host={host} />
        <dl className="grid gap-x-6 sm:grid-cols-2">
          <Trend term="CPU" expr={`host_cpu_usage_ratio{${chosen}}`} show={ratio} top={1} />
          <Trend term="Memory" expr={`host_memory_usage_ratio{${chosen}}`} show={ratio} top={1} />
          <Trend term="Load, 1 min" expr={`host_load1{${chosen}}`} show={load} />
          <Trend
            term="Waits for CPU"
            expr={`host_pressure_ratio{resource="cpu",kind="some",${chosen}}`}
            show={ratio}
          />
          <Trend term="Disk read" expr={flow("host_disk_read_bytes_total")} show={perSecond} />
          <Trend term="Disk written" expr={flow("host_disk_written_bytes_total")} show={perSecond} />
          <Trend term="Network in" expr={flow("host_network_receive_bytes_total")} show={perSecond} />
          <Trend term="Network out" expr={flow("host_network_transmit_bytes_total")} show={perSecond} />
        </dl>
        <p className="text-muted text-xs">
          Seen <Ago time={host.time} />, started <Ago time={host.booted_at} />
          {(host.oom_kills ?? 0) > 0 && (
            <>
              , <span className="text-bad">{host.oom_kills} killed for want of memory since</span>
            </>
          )}
          .
        </p>
      </div>
    </Panel>
  );
}

interface TrendProps {
  readonly term: string;
  readonly expr: string;
  readonly show: (value: number) => string;
  readonly top?: number;
}

function Trend({ term, expr, show, top }: TrendProps) {
  const range = useTimeRange();
  const values = useQuery(graphQuery(expr, range)).data?.lines[0]?.values ?? [];
  const last = values.findLast((value) => value !== null) ?? null;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_auto_72px] items-center gap-2 border-line border-t py-1">
      <dt className="truncate text-muted text-xs">{term}</dt>
      <dd>
        <Sparkline
          label={`${term} over time`}
          values={values}
          width={72}
          height={18}
          {...(top === undefined ? {} : { top })}
        />
      </dd>
      <dd className="text-right tabular-nums">{last === null ? "–" : show(last)}</dd>
    </div>
  );
}
