import type { Exit } from "../api/types";
import { Badge } from "../components/Badge";
import { WorkerLink } from "../components/EntityLink";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { Time } from "../components/Time";
import { exitWords } from "../format/exit";
import { bytes } from "../format/format";

interface Props {
  readonly label: string;
  readonly exits: readonly Exit[];
  /** Whether it says whose they were. */
  readonly workers?: boolean;
}

/** Processes that ended badly, with what is known of how. */
export function Exits({ label, exits, workers = false }: Props) {
  return (
    <Table label={label}>
      <thead>
        <tr>
          <th className={HEAD}>When</th>
          {workers && <th className={HEAD}>Worker</th>}
          <th className={HEAD}>Process</th>
          <th className={HEAD}>How</th>
          <th className={NUMBER_HEAD}>Memory then</th>
          <th className={HEAD}>Evidence</th>
        </tr>
      </thead>
      <tbody>
        {exits.map((exit) => (
          <tr key={exit.event_id} className="border-line border-t align-top">
            <td className={CELL}>
              <Time at={exit.time} />
            </td>
            {workers && (
              <td className={`${CELL} max-w-48 truncate`}>
                <WorkerLink id={exit.worker_id} />
              </td>
            )}
            <td className={`${CELL} max-w-48 truncate`} title={exit.command ?? exit.name}>
              {exit.name} <span className="text-muted text-xs">{exit.pid ?? ""}</span>
            </td>
            <td className={CELL}>
              <Badge tone={exit.cause === "unknown" ? "warn" : "bad"}>{exitWords(exit)}</Badge>
            </td>
            <td className={NUMBER}>{bytes(exit.memory_rss_bytes)}</td>
            <td className="min-w-72 wrap-anywhere px-4 py-2 text-muted">
              {exit.message ?? "–"}
              <Facts exit={exit} />
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function Facts({ exit }: { readonly exit: Exit }) {
  const facts = [
    exit.unit ? `unit ${exit.unit}` : null,
    exit.group ? `group ${exit.group}` : null,
    exit.cgroup ? `control group ${exit.cgroup}` : null,
    ...Object.entries(exit.attributes).map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`),
  ].filter((fact) => fact !== null);
  if (facts.length === 0) return null;
  return <span className="block pt-0.5 text-xs">{facts.join(" · ")}</span>;
}
