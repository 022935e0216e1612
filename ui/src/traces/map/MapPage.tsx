import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Empty, Failure, Loading } from "../../components/Notices";
import { Panel } from "../../components/Panel";
import { count } from "../../format/format";
import { useTimeRange } from "../../time/useTimeRange";
import { serviceMapQuery } from "../queries";
import { Views } from "../Views";
import { MapDrawing } from "./MapDrawing";
import { ServiceDetails } from "./ServiceDetails";

const route = getRouteApi("/shell/traces/map");

/** Which services there are, how each does, and which asks which. */
export function MapPage() {
  const { service = null } = route.useSearch();
  const navigate = route.useNavigate();
  const range = useTimeRange();
  const map = useQuery(serviceMapQuery(range));
  const { data, error } = map;
  const select = (service: string | null) =>
    void navigate({ search: service === null ? {} : { service }, replace: true, resetScroll: false });
  return (
    <div className="grid grid-cols-1 gap-4">
      <h1 className="font-semibold text-xl tracking-tight">Service map</h1>
      <Views />
      {error && !data ? (
        <Failure error={error} retry={() => void map.refetch()} />
      ) : !data ? (
        <Loading className="h-96" />
      ) : data.nodes.length === 0 ? (
        <Empty title="No service is known of this time">
          The map follows from spans that applications send by OpenTelemetry, of all of them, sampled or not.
        </Empty>
      ) : (
        <>
          <Panel
            title="Who asks whom"
            aside={`${count(data.nodes.length)} services, ${count(data.edges.length)} connections`}
          >
            <MapDrawing map={data} selected={service} onSelect={select} />
            <p className="border-line border-t px-4 py-2 text-muted text-xs">
              From the left to the right, those that ask to those that are asked. A wider line is used more
              often, a dashed one is of messages; orange from 1 % that fails on, red from 5 %.
              {data.more_nodes + data.more_edges > 0 &&
                ` Left out: ${count(data.more_nodes)} services and ${count(data.more_edges)} connections that are asked least.`}
            </p>
          </Panel>
          {service !== null && <ServiceDetails map={data} name={service} onSelect={select} />}
        </>
      )}
    </div>
  );
}
