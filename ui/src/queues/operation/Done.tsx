import type { OperationAnswer } from "../../api/types";
import { Button } from "../../components/Button";
import { count } from "../../format/format";
import { wordsOf } from "./selection";

/** What was done. */
export function Done({
  answer,
  onClose,
}: {
  readonly answer: OperationAnswer;
  readonly onClose: () => void;
}) {
  const { done, gone, skipped } = answer;
  const word = wordsOf(answer.action).done;
  return (
    <div className="grid gap-4">
      <div role="status" className="grid gap-1">
        <p className="font-medium">
          {count(done.length)} {done.length === 1 ? "task was" : "tasks were"} {word}.
        </p>
        {gone.length > 0 && (
          <p className="text-muted">
            {count(gone.length)} had moved on meanwhile, and {gone.length === 1 ? "was" : "were"} left alone.
          </p>
        )}
        {skipped.length > 0 && <p className="text-muted">{count(skipped.length)} stay as they were.</p>}
      </div>
      <Button primary onClick={onClose} className="justify-self-start">
        Close
      </Button>
    </div>
  );
}
