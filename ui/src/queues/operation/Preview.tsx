import type { OperationAnswer, TouchedTask } from "../../api/types";
import { Button } from "../../components/Button";
import { CELL, HEAD, NUMBER, NUMBER_HEAD, Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { count, decimal, seconds } from "../../format/format";
import { wordsOf } from "./selection";

/** How many tasks are shown; all are done. */
const SHOWN = 100;

interface Props {
  readonly answer: OperationAnswer;
  readonly isBusy: boolean;
  readonly onBack: () => void;
  readonly onDo: () => void;
}

/** What would be done, task by task. Nothing has been done yet. */
export function Preview({ answer, isBusy, onBack, onDo }: Props) {
  const words = wordsOf(answer.action);
  const { tasks, more, skipped, unread, expires_at } = answer;
  const amount = `${count(answer.count)} ${answer.count === 1 ? "task" : "tasks"}`;
  return (
    <div className="grid grid-cols-1 gap-4">
      <p>
        {answer.count === 0
          ? "No task is meant: nothing would be done."
          : `This would ${words.say(amount)}. Nothing has been done yet.`}
      </p>
      {(more || skipped.length > 0 || unread > 0) && (
        <ul className="grid list-disc gap-1 pl-5 text-warn">
          {more && <li>More are meant than one operation touches: the rest needs another one.</li>}
          {skipped.length > 0 && (
            <li>{count(skipped.length)} hold nothing that could be queued again, and stay.</li>
          )}
          {unread > 0 && (
            <li>{count(unread)} tasks were not looked at: an operation reads the first 5,000.</li>
          )}
        </ul>
      )}
      {tasks.length > 0 && (
        <div className="max-h-[40vh] overflow-y-auto rounded-lg border border-line">
          <Table label="What would be touched">
            <thead>
              <tr>
                <th className={HEAD}>Task</th>
                <th className={HEAD}>Kind</th>
                <th className={HEAD}>Owner</th>
                <th className={NUMBER_HEAD}>Age</th>
                <th className={NUMBER_HEAD}>Score</th>
              </tr>
            </thead>
            <tbody>
              {tasks.slice(0, SHOWN).map((task) => (
                <Row key={task.id} task={task} />
              ))}
            </tbody>
          </Table>
          {tasks.length > SHOWN && (
            <p className="border-line border-t px-4 py-2 text-muted text-xs">
              and {count(tasks.length - SHOWN)} more
            </p>
          )}
        </div>
      )}
      <div className="flex flex-wrap items-center gap-2">
        {answer.count > 0 && answer.digest && (
          <Button primary onClick={onDo} disabled={isBusy}>
            {capital(words.say(amount))}
          </Button>
        )}
        <Button onClick={onBack} disabled={isBusy}>
          Choose others
        </Button>
        {answer.count > 0 && expires_at && (
          <span className="text-muted text-xs">
            It can be done until <Time at={expires_at} />, and is kept in the audit log.
          </span>
        )}
      </div>
    </div>
  );
}

function Row({ task }: { readonly task: TouchedTask }) {
  return (
    <tr className="border-line border-t">
      <td className={`${CELL} max-w-72 truncate font-mono text-[13px]`} title={task.id}>
        {task.id}
      </td>
      <td className={`${CELL} max-w-32 truncate`}>{task.kind ?? "–"}</td>
      <td className={`${CELL} max-w-48 truncate`} title={task.unowned ?? task.owner ?? undefined}>
        {task.owner ?? "–"}
        {task.unowned && <span className="text-warn"> {task.unowned}</span>}
      </td>
      <td className={NUMBER}>{seconds(task.age_seconds)}</td>
      <td className={NUMBER}>{decimal(task.score)}</td>
    </tr>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
