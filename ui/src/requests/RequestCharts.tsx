import { rate, ratio, seconds } from "../format/format";
import { HeatmapPanel } from "../metrics/HeatmapPanel";
import { LatencyPanel } from "../metrics/LatencyPanel";
import { MetricPanel } from "../metrics/MetricPanel";
import { bucketsExpr, matchers } from "../metrics/quantiles";
import { rateWindow } from "../metrics/window";
import { useTimeRange } from "../time/useTimeRange";

interface Props {
  readonly service: string | undefined;
  readonly route: string | undefined;
}

const percent = (value: number) => ratio(value, value > 0 && value < 0.1 ? 1 : 0);
const HISTOGRAM = "http_request_duration_seconds";
const EMPTY = (
  <>
    Applications report each request as a <code>request.finished</code> event to POST /api/v1/events, or as a
    span to the OpenTelemetry receivers.
  </>
);

/** Rates, failures and durations over time, of a service and a route where these are chosen. */
export function RequestCharts({ service, route }: Props) {
  const range = useTimeRange();
  const window = rateWindow(range);
  const chosen = matchers({ service, route });
  const and = chosen === "" ? "" : `,${chosen}`;
  const requests = (more: string) => `sum(rate(http_requests_total{${more}${and}}[${window}]))`;
  const spans = matchers({ span_kind: "SPAN_KIND_SERVER", service_name: service });
  return (
    <div className="grid grid-cols-1 gap-5 lg:grid-cols-2">
      <MetricPanel
        title="Requests by class of status"
        expr={`sum by (class) (label_replace(rate(http_requests_total{${chosen}}[${window}]), "class", "\${1}xx", "status", "(.).*"))`}
        name={(labels) => labels.class ?? "no status"}
        show={rate}
        shape="stacked"
        empty={EMPTY}
      />
      <MetricPanel
        title="Share of requests that failed"
        expr={`label_replace(${requests('status=~"4.."')} / ${requests("")}, "of", "4xx", "", "") or label_replace(${requests('status=~"5.."')} / ${requests("")}, "of", "5xx", "", "")`}
        name={(labels) => labels.of ?? ""}
        show={percent}
        top={0.01}
        empty="A share is known once there are requests, and some of them fail."
      />
      <LatencyPanel
        title="How long they took"
        metric={HISTOGRAM}
        selector={chosen}
        examples={`${HISTOGRAM}_bucket{${chosen}} or traces_span_metrics_duration_seconds_bucket{${spans}}`}
        empty={EMPTY}
      />
      <HeatmapPanel
        title="Spread of durations"
        expr={bucketsExpr(HISTOGRAM, chosen, window)}
        show={seconds}
        height={226}
        empty={EMPTY}
      />
    </div>
  );
}
