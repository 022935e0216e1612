import { Link } from "@tanstack/react-router";
import type { ServiceEdge, ServiceMap } from "../../api/types";
import { Panel } from "../../components/Panel";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../../components/Table";
import { TONE_TEXT } from "../../components/tone";
import { rate, ratio, seconds } from "../../format/format";
import { termOf } from "../../search/terms";
import { errorTone } from "./look";

interface Props {
  readonly map: ServiceMap;
  readonly name: string;
  readonly onSelect: (service: string) => void;
}

const LINK =
  "inline-flex min-h-7 items-center rounded-md border border-line-strong bg-surface px-2 text-xs hover:bg-raised";

/** The chosen service: how it does, who asks it, and whom it asks. */
export function ServiceDetails({ map, name, onSelect }: Props) {
  const node = map.nodes.find((node) => node.name === name);
  const q = termOf("service", [name]);
  return (
    <Panel
      title={name}
      aside={
        node && !node.is_database ? (
          <span className="flex flex-wrap gap-1.5">
            <Link to="/traces" search={{ q }} className={LINK}>
              Traces
            </Link>
            <Link to="/traces" search={{ q: `${q} status:error` }} className={LINK}>
              Errors
            </Link>
            <Link to="/logs" search={{ q }} className={LINK}>
              Logs
            </Link>
          </span>
        ) : undefined
      }
    >
      {node ? (
        <p className="px-4 pb-2 text-muted">
          {node.is_database
            ? "A database: only those who ask it tell of it."
            : `Asked ${rate(node.rate)}, ${ratio(node.error_ratio, 1)} of that failed; half takes ${seconds(node.p50_seconds)} at the most, 95 of 100 ${seconds(node.p95_seconds)}. It sends ${rate(node.span_rate)} spans.`}
        </p>
      ) : (
        <p className="px-4 pb-3 text-muted">It was not asked in this time, and did not ask others.</p>
      )}
      <Edges
        title="Asked by"
        edges={map.edges.filter(({ server }) => server === name)}
        other="client"
        onSelect={onSelect}
      />
      <Edges
        title="Asks"
        edges={map.edges.filter(({ client }) => client === name)}
        other="server"
        onSelect={onSelect}
      />
    </Panel>
  );
}

interface EdgesProps {
  readonly title: string;
  readonly edges: readonly ServiceEdge[];
  readonly other: "client" | "server";
  readonly onSelect: (service: string) => void;
}

function Edges({ title, edges, other, onSelect }: EdgesProps) {
  if (edges.length === 0) return null;
  return (
    <Table label={title}>
      <thead>
        <tr>
          <th className={HEAD}>{title}</th>
          <th className={NUMBER_HEAD}>How often</th>
          <th className={NUMBER_HEAD}>Failed</th>
          <th className={NUMBER_HEAD}>95 of 100 take</th>
          <th className={HEAD}>How</th>
        </tr>
      </thead>
      <tbody>
        {edges.map((edge) => (
          <tr key={`${edge[other]} ${edge.connection}`} className="border-line border-t">
            <td className={`${CELL} max-w-60 truncate`}>
              <button type="button" onClick={() => onSelect(edge[other])} className="min-h-6 hover:underline">
                {edge[other]}
              </button>
            </td>
            <td className={NUMBER}>{rate(edge.rate)}</td>
            <td className={`${NUMBER} ${TONE_TEXT[errorTone(edge.failed_ratio)]}`}>
              {ratio(edge.failed_ratio, 1)}
            </td>
            <td className={NUMBER}>{seconds(edge.p95_seconds)}</td>
            <td className={CELL}>
              {edge.connection === "messaging_system" ? "messages" : (edge.connection ?? "requests")}
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
