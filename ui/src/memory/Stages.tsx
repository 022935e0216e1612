import { useQuery } from "@tanstack/react-query";
import { Empty } from "../components/Notices";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../components/Table";
import { bytes, count } from "../format/format";
import { useTimeRange } from "../time/useTimeRange";
import { stageSumsQuery } from "./queries";
import { NameButton, Sums, signed } from "./Sums";

interface Props {
  readonly chosen: string | undefined;
  readonly onChoose: (stage: string | undefined) => void;
}

/** What the runs of each stage did to memory in the time that is shown. */
export function Stages({ chosen, onChoose }: Props) {
  return (
    <Sums title="Stages" aside="press one to see its jobs" query={useQuery(stageSumsQuery(useTimeRange()))}>
      {(stages) =>
        stages.length === 0 ? (
          <Empty title="No stage ended in this time">Events of the type stage.finished tell of them.</Empty>
        ) : (
          <Table label="Stages">
            <thead>
              <tr>
                <th className={HEAD}>Stage</th>
                <th className={HEAD}>Component</th>
                <th className={NUMBER_HEAD}>Runs</th>
                <th className={NUMBER_HEAD}>Peak</th>
                <th className={NUMBER_HEAD}>95 % stay below</th>
                <th className={NUMBER_HEAD}>Grew on average</th>
                <th className={NUMBER_HEAD}>Grew in all</th>
                <th className={NUMBER_HEAD}>GPU peak</th>
              </tr>
            </thead>
            <tbody>
              {stages.map((sum) => (
                <tr key={`${sum.stage} ${sum.component}`} className="border-line border-t">
                  <td className={`${CELL} max-w-56 truncate`}>
                    <NameButton
                      isChosen={sum.stage === chosen}
                      onPress={() => onChoose(sum.stage === chosen ? undefined : sum.stage)}
                    >
                      {sum.stage}
                    </NameButton>
                  </td>
                  <td className={`${CELL} max-w-56 truncate`}>{sum.component ?? "–"}</td>
                  <td className={NUMBER}>{count(sum.runs)}</td>
                  <td className={NUMBER}>{bytes(sum.peak)}</td>
                  <td className={NUMBER}>{bytes(sum.usualPeak)}</td>
                  <td className={NUMBER}>{signed(sum.growth, bytes)}</td>
                  <td className={NUMBER}>{signed(sum.grown, bytes)}</td>
                  <td className={NUMBER}>{bytes(sum.gpu)}</td>
                </tr>
              ))}
            </tbody>
          </Table>
        )
      }
    </Sums>
  );
}
