import { Command } from "cmdk";
import { useEffect, useRef, useState } from "react";
import { Dialog } from "../components/Dialog";
import { Icon } from "../components/Icon";
import { type Choice, useChoices } from "./choices";

const BOX =
  "[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-muted [&_[cmdk-group-heading]]:text-xs";

/** Leads to whatever is named: pages, and what the pages are about. */
export default function CommandPalette({ onClose }: { readonly onClose: () => void }) {
  const [text, write] = useState("");
  const groups = useChoices(text);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const take = (choice: Choice) => {
    onClose();
    choice.run();
  };
  return (
    <Dialog label="Go to" onClose={onClose} className="mt-[12vh] w-[560px] max-w-[calc(100vw-16px)]">
      <Command label="Go to" loop className={BOX}>
        <Command.Input
          ref={input}
          value={text}
          onValueChange={write}
          placeholder="A page, queue, worker, job, document, service or alert"
          className="h-12 w-full border-line border-b bg-transparent px-4 text-[15px] outline-none placeholder:text-muted"
        />
        <Command.List aria-label="Found" className="max-h-[50vh] overflow-y-auto p-1.5">
          <Command.Empty className="px-4 py-8 text-center text-muted">
            Nothing has this name. Jobs are found by their id, documents by theirs.
          </Command.Empty>
          {groups.map(({ name, choices }) => (
            <Command.Group key={name} heading={name}>
              {choices.map((choice) => (
                <Command.Item
                  key={choice.id}
                  value={choice.id}
                  keywords={[choice.name, choice.about ?? "", choice.words ?? ""]}
                  onSelect={() => take(choice)}
                  className="flex cursor-pointer items-center gap-2.5 rounded-md px-2.5 py-1.5 data-[selected=true]:bg-raised"
                >
                  {choice.icon !== undefined && <Icon path={choice.icon} className="size-4 text-muted" />}
                  <span className="min-w-0 truncate">{choice.name}</span>
                  <span className="ml-auto min-w-0 truncate pl-4 text-muted text-xs">{choice.about}</span>
                </Command.Item>
              ))}
            </Command.Group>
          ))}
        </Command.List>
      </Command>
    </Dialog>
  );
}
