import { getRouteApi } from "@tanstack/react-router";
import { bytes } from "../format/format";
import type { Labels } from "../metrics/answer";
import { MetricPanel } from "../metrics/MetricPanel";
import { DEFAULT_LIMIT, type MemorySearch } from "./address";
import { Components } from "./Components";
import { HeavyJobs } from "./HeavyJobs";
import { Processes } from "./Processes";
import { Stages } from "./Stages";
import { Workers } from "./Workers";

const route = getRouteApi("/shell/memory");

const byStage = ({ stage = "" }: Labels) => stage;
const byComponent = ({ component = "" }: Labels) => component;

/** Who holds memory, who grows, and what is not given back. */
export function MemoryPage() {
  const { limit, stage, component } = route.useSearch();
  const navigate = route.useNavigate();
  const go = (change: { readonly [K in keyof MemorySearch]: MemorySearch[K] | undefined }) =>
    void navigate({
      search: (search) => ({ ...search, ...change }) as MemorySearch,
      replace: true,
      resetScroll: false,
    });
  return (
    <div className="grid grid-cols-1 gap-5">
      <h1 className="font-semibold text-xl tracking-tight">Memory</h1>
      <Workers
        limit={limit === undefined ? DEFAULT_LIMIT : Number(limit)}
        onLimit={(limit) => go({ limit: limit === DEFAULT_LIMIT ? undefined : String(limit) })}
      />
      <div className="grid grid-cols-1 gap-5 lg:grid-cols-2">
        <MetricPanel
          title="Peak of each stage"
          expr="stage_memory_peak_bytes"
          name={byStage}
          show={bytes}
          empty={STAGES}
        />
        <MetricPanel
          title="Held when each stage ended"
          expr="stage_memory_rss_bytes"
          name={byStage}
          show={bytes}
          empty={STAGES}
        />
      </div>
      <Stages chosen={stage} onChoose={(stage) => go({ stage, component: undefined })} />
      {stage !== undefined && <HeavyJobs stage={stage} onClose={() => go({ stage: undefined })} />}
      <div className="grid grid-cols-1 gap-5 lg:grid-cols-2">
        <MetricPanel
          title="Growth of each stage"
          aside="end less begin"
          expr="stage_memory_delta_bytes"
          name={byStage}
          show={bytes}
          empty={STAGES}
        />
        <MetricPanel
          title="What loaded components hold"
          expr="component_memory_bytes"
          name={byComponent}
          show={bytes}
          legend
          empty="Events of the types component.loaded and component.unloaded tell of it."
        />
      </div>
      <Components chosen={component} onChoose={(component) => go({ component, stage: undefined })} />
      {component !== undefined && stage === undefined && (
        <HeavyJobs component={component} onClose={() => go({ component: undefined })} />
      )}
      <Processes />
    </div>
  );
}

const STAGES = "Events of the type stage.finished tell of it, with memory_rss_bytes and memory_peak_bytes.";
