import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Stat, Stats } from "../components/Stat";
import { count, ratio } from "../format/format";
import { useTimeRange } from "../time/useTimeRange";
import type { LlmSearch } from "./address";
import { Backends } from "./Backends";
import { Calls } from "./Calls";
import { LlmCharts } from "./LlmCharts";
import { LlmQueue } from "./LlmQueue";
import { Models } from "./Models";
import { dollars } from "./money";
import { modelUseQuery } from "./queries";

const route = getRouteApi("/shell/llm");

/** Models: what they are asked, how quickly and how well they answer, what runs them, and what waits for them. */
export function LlmPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const go = (change: { readonly [K in keyof LlmSearch]: LlmSearch[K] | undefined }) =>
    void navigate({ search: { ...search, ...change } as LlmSearch, resetScroll: false });
  return (
    <div className="grid grid-cols-1 gap-5">
      <h1 className="font-semibold text-xl tracking-tight">LLM</h1>
      <Summary />
      <Models chosen={search.model} onChoose={(model) => go({ model })} />
      <LlmCharts model={search.model} />
      <Backends />
      <LlmQueue />
      <Calls
        model={search.model}
        isFailed={search.calls === "failed"}
        onFailed={(failed) => go({ calls: failed ? "failed" : undefined })}
        onAll={() => go({ model: undefined })}
      />
    </div>
  );
}

function Summary() {
  const range = useTimeRange();
  const models = useQuery(modelUseQuery(range)).data;
  const sum = (of: "calls" | "errors" | "input_tokens" | "output_tokens" | "cost_usd" | "cut") =>
    models?.reduce((all, model) => all + (model[of] ?? 0), 0);
  const [calls, errors, cost, cut] = [sum("calls"), sum("errors"), sum("cost_usd"), sum("cut")];
  return (
    <Stats>
      <Stat
        term="Calls"
        value={count(calls)}
        more={models ? `of ${count(models.length)} models` : undefined}
      />
      <Stat
        term="Failed"
        value={
          <span className={errors ? "text-bad" : ""}>{calls ? ratio((errors ?? 0) / calls, 1) : "–"}</span>
        }
        more={errors === undefined ? undefined : `${count(errors)} calls`}
      />
      <Stat
        term="Cut off"
        value={calls ? ratio((cut ?? 0) / calls, 1) : "–"}
        more="answers at their length limit"
      />
      <Stat term="Tokens sent" value={count(sum("input_tokens"))} />
      <Stat term="Tokens received" value={count(sum("output_tokens"))} />
      {cost !== undefined && cost > 0 && <Stat term="Cost" value={dollars(cost)} />}
    </Stats>
  );
}
