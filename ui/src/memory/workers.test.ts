import { describe, expect, it } from "vitest";
import type { Answer } from "../metrics/answer";
import { toneOf, workersExpr, workersOf } from "./workers";

const GIB = 1024 ** 3;

function answer(workers: Record<string, Record<string, number>>): Answer {
  const result = Object.entries(workers).flatMap(([worker, figures]) =>
    Object.entries(figures).map(([what, value]) => ({
      metric: { worker, what },
      value: [0, String(value)] as const,
    })),
  );
  return { data: { resultType: "vector", result } };
}

describe("the memory of workers", () => {
  it("tells when each reaches the limit, the soonest first", () => {
    const workers = workersOf(
      answer({
        still: { held: 3 * GIB, trend: 3 * GIB, in_an_hour: 3 * GIB },
        shrinks: { held: 3.5 * GIB, trend: 3.5 * GIB, in_an_hour: 3 * GIB },
        grows: { held: 2 * GIB, trend: 2 * GIB, in_an_hour: 3 * GIB, of_host: 0.25 },
        over: { held: 5 * GIB, trend: 5 * GIB, in_an_hour: 5 * GIB },
      }),
      4 * GIB,
      3_600,
    );
    expect(workers.map(({ worker, toLimit }) => [worker, toLimit])).toEqual([
      ["over", 0],
      ["grows", 7_200],
      ["shrinks", null],
      ["still", null],
    ]);
    expect(workers.map(toneOf)).toEqual(["bad", "idle", "idle", "idle"]);
    expect(workers[1]).toMatchObject({ ofHost: 0.25, inAnHour: 3 * GIB });
  });

  it("foretells nothing that is far beyond what it has seen", () => {
    const creeping = answer({ w: { held: GIB, trend: GIB, in_an_hour: GIB + 1 } });
    expect(workersOf(creeping, 4 * GIB, 3_600)[0]?.toLimit).toBeNull();
  });

  it("foretells nothing where only the present is known", () => {
    expect(workersOf(answer({ w: { held: GIB } }), 4 * GIB, 3_600)[0]).toMatchObject({
      toLimit: null,
      inAnHour: null,
    });
  });

  it("looks back long enough for a line through several points", () => {
    expect(workersExpr(10)).toContain("[120s]");
    expect(workersExpr(3_600)).toContain("predict_linear(worker_memory_bytes[3600s], 3600)");
  });
});
