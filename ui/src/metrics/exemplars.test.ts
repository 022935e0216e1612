import { expect, it } from "vitest";
import { exemplarName, exemplarsOf } from "./exemplars";

const series = (name: string) => ({ __name__: "d_bucket", service_name: "ocr", span_name: name });

it("takes each trace once, by its largest value, the largest first; and none without a trace", () => {
  const found = exemplarsOf({
    data: [
      {
        seriesLabels: series("a"),
        exemplars: [
          { labels: { trace_id: "t1" }, timestamp: 10, value: "0.5" },
          { labels: {}, timestamp: 11, value: "9" },
          { labels: { trace_id: "t3" }, timestamp: 11, value: "NaN" },
        ],
      },
      {
        seriesLabels: series("b"),
        exemplars: [
          { labels: { traceID: "t2" }, timestamp: 12, value: "2" },
          { labels: { trace_id: "t1" }, timestamp: 13, value: "0.75" },
        ],
      },
    ],
  });
  expect(found.map(({ traceId, value, time }) => [traceId, value, time])).toEqual([
    ["t2", 2, 12],
    ["t1", 0.75, 13],
  ]);
  expect(found.map(exemplarName)).toEqual(["ocr: b", "ocr: b"]);
});
