import { useQuery } from "@tanstack/react-query";
import type { Probe } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { Empty, Failure, Loading } from "../components/Notices";
import { Panel } from "../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { bytes, count, ratio, seconds } from "../format/format";
import { MetricPanel } from "../metrics/MetricPanel";
import { BackendModels } from "./BackendModels";
import { backendsQuery } from "./queries";

/** What runs the models: whether it answers, and what it holds in memory. */
export function Backends() {
  const query = useQuery(backendsQuery);
  const backends = query.data ?? [];
  return (
    <>
      <Panel title="Backends" aside={backends.length > 0 ? "as they are now" : undefined}>
        {query.error && !query.data ? (
          <Failure error={query.error} retry={() => void query.refetch()} />
        ) : !query.data ? (
          <div className="p-4">
            <Loading className="h-20" />
          </div>
        ) : backends.length === 0 ? (
          <Empty title="No backend of models is watched">
            Ollama on 127.0.0.1:11434, and vLLM, llama.cpp, SGLang, LM Studio and LiteLLM on their usual local
            ports, are found by themselves. Others are named as <code>[[probes.ollama]]</code> or{" "}
            <code>[[probes.openai]]</code> in the configuration.
          </Empty>
        ) : (
          <>
            <BackendTable backends={backends} />
            <BackendModels backends={backends} />
          </>
        )}
      </Panel>
      {backends.length > 0 && <BackendCharts />}
    </>
  );
}

function BackendTable({ backends }: { readonly backends: readonly Probe[] }) {
  return (
    <Table label="Backends">
      <thead>
        <tr>
          <th className={HEAD}>State</th>
          <th className={HEAD}>Backend</th>
          <th className={HEAD}>Kind</th>
          <th className={HEAD}>Since</th>
          <th className={NUMBER_HEAD}>Answered in</th>
          <th className={NUMBER_HEAD}>Up, 1 h</th>
          <th className={NUMBER_HEAD}>Up, 24 h</th>
          <th className={NUMBER_HEAD}>Models</th>
          <th className={NUMBER_HEAD}>In memory</th>
          <th className={HEAD}>Why not</th>
        </tr>
      </thead>
      <tbody>
        {backends.map((backend) => {
          const loaded = backend.models.filter((model) => model.loaded === true);
          const isTold = backend.models.some((model) => model.loaded != null);
          return (
            <tr key={`${backend.kind} ${backend.probe}`} className="border-line border-t">
              <td className={CELL}>
                <Badge tone={backend.up ? "good" : "bad"}>{backend.up ? "up" : "down"}</Badge>
              </td>
              <td className={CELL}>
                {backend.probe}
                {backend.target !== backend.probe && (
                  <span className="pl-2 text-muted text-xs">{backend.target}</span>
                )}
              </td>
              <td className={CELL}>{backend.kind}</td>
              <td className={CELL}>
                <Ago time={backend.since} />
              </td>
              <td className={NUMBER}>{seconds(backend.latency_seconds)}</td>
              <td className={NUMBER}>{ratio(backend.availability["1h"], 1)}</td>
              <td className={NUMBER}>{ratio(backend.availability["24h"], 1)}</td>
              <td className={NUMBER}>{count(backend.models.length)}</td>
              <td className={NUMBER}>
                {isTold
                  ? `${count(loaded.length)}, ${bytes(loaded.reduce((sum, { size_bytes }) => sum + (size_bytes ?? 0), 0))}`
                  : "–"}
              </td>
              <td className={`${CELL} max-w-80 truncate text-muted`} title={backend.reason ?? undefined}>
                {backend.reason ?? ""}
              </td>
            </tr>
          );
        })}
      </tbody>
    </Table>
  );
}

const probeName = (labels: Readonly<Record<string, string>>) => labels.probe ?? "";
const ofModel = (labels: Readonly<Record<string, string>>) =>
  [labels.model, labels.probe].filter(Boolean).join(" on ");
const up = (value: number) => (value >= 1 ? "up" : value <= 0 ? "down" : ratio(value));

function BackendCharts() {
  const unasked =
    "Backends whose completion is tried have these: [probes.openai.completion] in the configuration.";
  return (
    <div className="grid grid-cols-1 gap-5 lg:grid-cols-3">
      <MetricPanel
        title="Backends up"
        expr={'probe_success{kind=~"ollama|openai"}'}
        name={probeName}
        show={up}
        top={1}
      />
      <MetricPanel
        title="Memory of loaded models"
        expr="llm_backend_model_memory_bytes"
        name={ofModel}
        show={bytes}
        shape="stacked"
        empty="Ollama tells what each loaded model holds."
      />
      <MetricPanel
        title="First token of a small completion"
        expr="llm_backend_time_to_first_token_seconds"
        name={probeName}
        show={seconds}
        empty={unasked}
      />
    </div>
  );
}
