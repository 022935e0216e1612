import { expect, it } from "vitest";
import { seriesName } from "./labels";

it.each([
  [{}, "{}"],
  [{ __name__: "up" }, "up"],
  [{ __name__: "up", job: "api", zone: "a" }, 'up{job="api", zone="a"}'],
  [{ job: "api" }, '{job="api"}'],
  [{ __name__: "http.requests", "http.status": "200" }, '{"http.requests", "http.status"="200"}'],
  [{ path: 'C:\\"x"\n' }, '{path="C:\\\\\\"x\\"\\n"}'],
])("%j is written as %s", (labels, name) => expect(seriesName(labels)).toBe(name));
