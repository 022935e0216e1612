import { count, rate, ratio, seconds } from "../format/format";
import { HeatmapPanel } from "../metrics/HeatmapPanel";
import { LatencyPanel } from "../metrics/LatencyPanel";
import { MetricPanel } from "../metrics/MetricPanel";
import { bucketsExpr, matchers } from "../metrics/quantiles";
import { rateWindow } from "../metrics/window";
import { useTimeRange } from "../time/useTimeRange";

const percent = (value: number) => ratio(value, value > 0 && value < 0.1 ? 1 : 0);
const tokens = (value: number) => `${count(value)}/s`;
const modelName = (labels: Readonly<Record<string, string>>) => labels.model ?? "not said";

/** Calls, failures, tokens and durations over time, of one model where one is chosen. */
export function LlmCharts({ model }: { readonly model: string | undefined }) {
  const range = useTimeRange();
  const window = rateWindow(range);
  const chosen = matchers({ model });
  const and = chosen === "" ? "" : `,${chosen}`;
  const calls = "Applications report each call as an llm.call event to POST /api/v1/events.";
  const first = "Calls that are streamed tell when their first token came, as time_to_first_token.";
  return (
    <div className="grid grid-cols-1 gap-5 lg:grid-cols-2 2xl:grid-cols-3">
      <MetricPanel
        title="Calls by model"
        expr={`sum by (model) (rate(llm_calls_total{${chosen}}[${window}]))`}
        name={modelName}
        show={rate}
        shape="stacked"
        empty={calls}
      />
      <MetricPanel
        title="Share of calls that failed"
        expr={`sum by (model) (rate(llm_calls_total{status="error"${and}}[${window}])) / sum by (model) (rate(llm_calls_total{${chosen}}[${window}]))`}
        name={modelName}
        show={percent}
        top={0.01}
        empty="A share is known once there are calls, and some of them fail."
      />
      <MetricPanel
        title="Tokens per second, all calls together"
        expr={`sum by (type) (rate(llm_tokens_total{${chosen}}[${window}]))`}
        name={(labels) => (labels.type === "input" ? "sent" : "received")}
        show={tokens}
        empty="Calls tell how many tokens they sent and received as input_tokens and output_tokens."
      />
      <LatencyPanel
        title="Time to the first token"
        metric="llm_time_to_first_token_seconds"
        selector={chosen}
        empty={first}
      />
      <LatencyPanel
        title="How long calls took"
        metric="llm_call_duration_seconds"
        selector={chosen}
        examples={`llm_call_duration_seconds_bucket{${chosen}}`}
        empty={calls}
      />
      <HeatmapPanel
        title="Spread of durations"
        expr={bucketsExpr("llm_call_duration_seconds", chosen, window)}
        show={seconds}
        height={226}
        empty={calls}
      />
    </div>
  );
}
