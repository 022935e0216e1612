import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Sparkline } from "../components/chart/Sparkline";
import { DataTable } from "../components/DataTable";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import type { Column } from "../components/sorting";
import { count, decimal, ratio, seconds } from "../format/format";
import { graphQuery } from "../metrics/queries";
import { rateWindow } from "../metrics/window";
import { useTimeRange } from "../time/useTimeRange";
import { dollars } from "./money";
import { type ModelUse, modelUseQuery } from "./queries";

interface Props {
  readonly chosen: string | undefined;
  readonly onChoose: (model: string | undefined) => void;
}

/** Each model, and how it did. Pressing one lets the charts and the calls show it alone. */
export function Models({ chosen, onChoose }: Props) {
  const range = useTimeRange();
  const query = useQuery(modelUseQuery(range));
  const rates = useQuery(
    graphQuery(`sum by (model) (rate(llm_calls_total[${rateWindow(range)}]))`, range),
  ).data;
  const lines = useMemo(
    () => new Map(rates?.lines.map(({ labels, values }) => [labels.model ?? "", values])),
    [rates],
  );
  const columns = columnsOf(chosen, onChoose, lines);
  return (
    <Panel title="Models">
      {query.error && !query.data ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <div className="p-4">
          <Loading className="h-24" />
        </div>
      ) : query.data.length === 0 ? (
        <Empty title="No call of a model in this time">
          Applications report each as an <code>llm.call</code> event to POST /api/v1/events, or as a span with{" "}
          <code>gen_ai</code> attributes to the OpenTelemetry receivers.
        </Empty>
      ) : (
        <DataTable
          label="Models"
          columns={columns}
          rows={query.data}
          rowKey={({ model }) => model}
          isSelected={({ model }) => model === chosen}
          className="max-h-96"
        />
      )}
    </Panel>
  );
}

function columnsOf(
  chosen: string | undefined,
  onChoose: Props["onChoose"],
  lines: ReadonlyMap<string, readonly (number | null)[]>,
): readonly Column<ModelUse>[] {
  return [
    {
      id: "model",
      head: "Model",
      className: "max-w-72 truncate",
      cell: ({ model, provider }) => (
        <>
          <button
            type="button"
            title={model}
            aria-pressed={model === chosen}
            onClick={() => onChoose(model === chosen ? undefined : model)}
            className="max-w-56 truncate align-bottom underline decoration-line-strong underline-offset-2 hover:decoration-ink aria-pressed:font-semibold"
          >
            {model}
          </button>
          {provider !== null && <span className="pl-2 text-muted text-xs">{provider}</span>}
        </>
      ),
    },
    {
      id: "trend",
      head: "Calls over time",
      cell: ({ model }) => (
        <Sparkline label={`Calls of ${model} over time`} values={lines.get(model) ?? []} />
      ),
    },
    number("Calls", ({ calls }) => count(calls)),
    number("Failed", ({ errors, calls }) => (
      <span className={errors > 0 ? "text-bad" : "text-muted"}>{ratio(errors / calls, 1)}</span>
    )),
    number("Tokens sent", ({ input_tokens }) => count(input_tokens)),
    number("Received", ({ output_tokens }) => count(output_tokens)),
    number("Tokens/s", ({ tokens_per_second }) => perSecond(tokens_per_second)),
    number("First token, 50th", ({ ttft_p50 }) => seconds(ttft_p50)),
    number("95th", ({ ttft_p95 }) => seconds(ttft_p95), "ttft95"),
    number("Took, 50th", ({ p50 }) => seconds(p50)),
    number("95th", ({ p95 }) => seconds(p95), "p95"),
    number("Cost", ({ cost_usd }) => dollars(cost_usd)),
  ];
}

/** A rate of tokens: whole where it is high. */
export function perSecond(value: number | null): string {
  return value !== null && value >= 100
    ? count(value)
    : decimal(value === null ? null : Number(value.toPrecision(2)));
}

function number(head: string, cell: Column<ModelUse>["cell"], id = head): Column<ModelUse> {
  return { id, head, cell, isNumber: true };
}
