// The values of an expression at one time, as numbers.

import type { Answer, Labels } from "./answer";

export interface Value {
  readonly labels: Labels;
  readonly value: number;
}

/** The numbers of an answer; histograms have none. */
export function valuesOf({ data }: Answer): readonly Value[] {
  switch (data.resultType) {
    case "scalar":
      return [{ labels: {}, value: Number(data.result[1]) }];
    case "vector":
      return data.result.flatMap(({ metric, value }) =>
        value === undefined ? [] : [{ labels: metric, value: Number(value[1]) }],
      );
    default:
      return [];
  }
}
