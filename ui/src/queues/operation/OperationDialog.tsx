import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import type { State } from "../address";
import { operate } from "../queries";
import { Done } from "./Done";
import { Preview } from "./Preview";
import { SelectionForm } from "./SelectionForm";
import { offered, previewOf, type Selection } from "./selection";

interface Props {
  readonly queue: string;
  /** Where the tasks are. */
  readonly state: State;
  /** Those that were chosen. */
  readonly ids: readonly string[];
  readonly onClose: () => void;
}

/** Queues tasks again or removes them, in two steps: what would be done is shown first, and just that is done then. */
export function OperationDialog({ queue, state, ids, onClose }: Props) {
  const client = useQueryClient();
  const [selection, select] = useState<Selection>({
    action: "requeue",
    state,
    which: offered(state, ids.length)[0] ?? "older",
    ids,
    olderThan: "10m",
  });
  const preview = useMutation({ mutationFn: () => operate(queue, previewOf(selection)) });
  const execution = useMutation({
    mutationFn: (digest: string) => operate(queue, { action: selection.action, digest }),
    onSettled: () => client.invalidateQueries({ queryKey: ["queues"] }),
  });
  const seen = preview.data;
  return (
    <Dialog
      label={`Tasks of ${queue}`}
      onClose={onClose}
      className="w-[720px] max-w-[calc(100vw-16px)] max-h-[calc(100dvh-16px)]"
    >
      <div className="grid gap-4 p-5">
        <h2 className="wrap-anywhere font-semibold text-base tracking-tight">Tasks of {queue}</h2>
        {execution.data ? (
          <Done answer={execution.data} onClose={onClose} />
        ) : seen ? (
          <Preview
            answer={seen}
            isBusy={execution.isPending}
            onBack={() => {
              preview.reset();
              execution.reset();
            }}
            onDo={() => seen.digest && execution.mutate(seen.digest)}
          />
        ) : (
          <SelectionForm
            selection={selection}
            isBusy={preview.isPending}
            onChange={select}
            onSubmit={() => preview.mutate()}
          />
        )}
        {(execution.error ?? preview.error) && !execution.data && (
          <p role="alert" className="rounded-lg bg-bad-soft px-3 py-2 text-bad">
            {(execution.error ?? preview.error)?.message}
          </p>
        )}
        {!execution.data && (
          <Button onClick={onClose} className="justify-self-start">
            Cancel
          </Button>
        )}
      </div>
    </Dialog>
  );
}
