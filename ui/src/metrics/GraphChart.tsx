import { useMemo, useState } from "react";
import { Legend } from "../components/chart/Legend";
import type { Mark } from "../components/chart/marks";
import type { Shape } from "../components/chart/shape";
import { TimeChart } from "../components/chart/TimeChart";
import { count } from "../format/format";
import { relativeName } from "../time/range";
import { useTimeRange } from "../time/useTimeRange";
import type { Graph } from "./graph";

interface Props {
  readonly title: string;
  readonly graph: Graph;
  readonly shape?: Shape | undefined;
  readonly top?: number | undefined;
  readonly height?: number | undefined;
  readonly marks?: readonly Mark[] | undefined;
  /** Whether the lines are told apart below; where there are several, when it is left out. */
  readonly legend?: boolean | undefined;
  readonly onPress?: ((time: number) => void) | undefined;
}

/** The lines of a graph, and which is which. */
export function GraphChart({ title, graph, shape, top, height, marks, legend, onPress }: Props) {
  const { lines, window, show, times } = graph;
  const range = useTimeRange();
  const span = useMemo(() => [window.start, window.end] as const, [window]);
  const [pointed, point] = useState<number | null>(null);
  // By name: when it is asked again, series come and go.
  const [pinned, pin] = useState<string | null>(null);
  const place = lines.findIndex(({ name }) => name === pinned);
  const emphasised = pointed ?? (place === -1 ? null : place);
  const over = relativeName(range) ?? "the time that is chosen";
  return (
    <div className="grid grid-cols-1 gap-2">
      <TimeChart
        label={`${title}, ${over}${lines.length === 1 ? "" : `: ${count(lines.length)} series`}`}
        times={times}
        lines={lines}
        span={span}
        show={show}
        emphasised={emphasised}
        onPoint={point}
        {...(shape !== undefined ? { shape } : {})}
        {...(top !== undefined ? { top } : {})}
        {...(height !== undefined ? { height } : {})}
        {...(marks !== undefined ? { marks } : {})}
        {...(onPress !== undefined ? { onPress } : {})}
      />
      {(legend ?? lines.length > 1) && (
        <Legend
          lines={lines}
          show={show}
          emphasised={emphasised}
          pinned={pinned}
          onPoint={point}
          onPin={pin}
        />
      )}
    </div>
  );
}
