import { Link } from "@tanstack/react-router";
import { DropdownMenu } from "radix-ui";
import { useRef } from "react";
import { saveCsv, savePng } from "../components/chart/save";
import { Icon } from "../components/Icon";
import type { Graph } from "./graph";

const MORE = "M5 12h.01M12 12h.01M19 12h.01";
const ITEM =
  "flex cursor-pointer items-center rounded px-2.5 py-1.5 outline-none data-[highlighted]:bg-raised data-[highlighted]:text-ink";

interface Props {
  readonly title: string;
  readonly expr: string;
  /** What is drawn; nothing while it is being loaded. */
  readonly graph: Graph | undefined;
}

/** What else can be done with a chart: look closer, or keep it as a file. */
export function PanelMenu({ title, expr, graph }: Props) {
  const trigger = useRef<HTMLButtonElement>(null);
  const isEmpty = graph === undefined || graph.lines.length === 0;
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger
        ref={trigger}
        aria-label={`More about ${title}`}
        className="grid size-7 place-items-center rounded-md text-muted hover:bg-raised hover:text-ink"
      >
        <Icon path={MORE} className="size-4" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          className="z-20 min-w-40 rounded-lg border border-line bg-surface p-1 text-[13px] shadow-lg"
        >
          <DropdownMenu.Item asChild className={ITEM}>
            <Link to="/explore" search={{ expr }}>
              Open in Explore
            </Link>
          </DropdownMenu.Item>
          <DropdownMenu.Item
            disabled={isEmpty}
            className={`${ITEM} data-[disabled]:opacity-50`}
            onSelect={() => graph && saveCsv(title, graph.times, graph.lines)}
          >
            Save the values as CSV
          </DropdownMenu.Item>
          <DropdownMenu.Item
            disabled={isEmpty}
            className={`${ITEM} data-[disabled]:opacity-50`}
            onSelect={() => {
              const panel = trigger.current?.closest("section");
              if (panel) savePng(title, panel);
            }}
          >
            Save the picture as PNG
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
