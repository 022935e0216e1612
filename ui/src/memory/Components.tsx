import { useQuery } from "@tanstack/react-query";
import { Empty } from "../components/Notices";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { bytes, count } from "../format/format";
import { useTimeRange } from "../time/useTimeRange";
import { type ComponentLoads, componentLoadsQuery } from "./queries";
import { NameButton, Sums, signed } from "./Sums";

interface Props {
  readonly chosen: string | undefined;
  readonly onChoose: (component: string | undefined) => void;
}

/** What components took when they were loaded, and did not give back. */
export function Components({ chosen, onChoose }: Props) {
  return (
    <Sums
      title="What components do not give back"
      aside="press one to see its jobs"
      query={useQuery(componentLoadsQuery(useTimeRange()))}
    >
      {(components) =>
        components.length === 0 ? (
          <Empty title="No component was loaded in this time">
            Events of the types component.loaded and component.unloaded tell of it, with memory_delta_bytes.
          </Empty>
        ) : (
          <Table label="What components do not give back">
            <thead>
              <tr>
                <th className={HEAD}>Component</th>
                <th className={NUMBER_HEAD}>Loads</th>
                <th className={NUMBER_HEAD}>Took on average</th>
                <th className={NUMBER_HEAD}>Gave back</th>
                <th className={NUMBER_HEAD}>Kept in all</th>
                <th className={NUMBER_HEAD}>At the worst</th>
                <th className={NUMBER_HEAD}>GPU</th>
              </tr>
            </thead>
            <tbody>
              {components.map((one) => (
                <tr key={one.component} className="border-line border-t">
                  <td className={`${CELL} max-w-56 truncate`}>
                    <NameButton
                      isChosen={one.component === chosen}
                      onPress={() => onChoose(one.component === chosen ? undefined : one.component)}
                    >
                      {one.component}
                    </NameButton>
                  </td>
                  <td className={NUMBER}>{loads(one)}</td>
                  <td className={NUMBER}>{bytes(one.took)}</td>
                  <td className={NUMBER}>{bytes(one.returned)}</td>
                  <td className={`${NUMBER} ${isLeak(one) ? "text-warn" : ""}`}>{signed(one.kept, bytes)}</td>
                  <td className={NUMBER}>{signed(one.worstKept, bytes)}</td>
                  <td className={NUMBER}>{bytes(one.gpu)}</td>
                </tr>
              ))}
            </tbody>
          </Table>
        )
      }
    </Sums>
  );
}

function loads({ loads, pairs }: ComponentLoads): string {
  return pairs === loads ? count(loads) : `${count(loads)}, ${count(pairs)} given back`;
}

/** Whether a tenth of what it took, or more, stays behind each time. */
function isLeak({ kept, took, pairs }: ComponentLoads): boolean {
  return kept !== null && took !== null && took > 0 && pairs > 0 && kept / pairs > took / 10;
}
