import { Link } from "@tanstack/react-router";
import { useRef } from "react";
import { saveCsv, savePng } from "../components/chart/save";
import { Icon } from "../components/Icon";
import { Menu } from "../components/Menu";
import type { Graph } from "./graph";

const MORE = "M5 12h.01M12 12h.01M19 12h.01";

interface Props {
  readonly title: string;
  readonly expr: string;
  /** What is drawn; nothing while it is being loaded. */
  readonly graph: Graph | undefined;
}

/** What else can be done with a chart: look closer, or keep it as a file. */
export function PanelMenu({ title, expr, graph }: Props) {
  const place = useRef<HTMLSpanElement>(null);
  const isEmpty = graph === undefined || graph.lines.length === 0;
  const keepPicture = () => {
    const panel = place.current?.closest("section");
    if (panel) savePng(title, panel);
  };
  return (
    <span ref={place}>
      <Menu
        label={`More about ${title}`}
        face={<Icon path={MORE} className="size-4" />}
        className="grid size-7 place-items-center rounded-md text-muted hover:bg-raised hover:text-ink"
        items={[
          {
            kind: "go",
            text: "Open in Explore",
            link: ({ className, text }) => (
              <Link to="/explore" search={{ expr }} className={className}>
                {text}
              </Link>
            ),
          },
          {
            kind: "do",
            text: "Save the values as CSV",
            disabled: isEmpty,
            run: () => graph && saveCsv(title, graph.times, graph.lines),
          },
          { kind: "do", text: "Save the picture as PNG", disabled: isEmpty, run: keepPicture },
        ]}
      />
    </span>
  );
}
