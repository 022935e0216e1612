// Answers to queries, in Prometheus' form: values are texts, as JSON has no infinity.

export type Labels = Readonly<Record<string, string>>;

/** A time in seconds since the epoch, and what was there. */
type Point<T> = readonly [number, T];

/** A native histogram; of its buckets nothing is shown. */
export interface Histogram {
  readonly count: string;
  readonly sum: string;
}

/** A series at one time: a number or a histogram. */
export interface Sample {
  readonly metric: Labels;
  readonly value?: Point<string>;
  readonly histogram?: Point<Histogram>;
}

/** A series over time. */
export interface Series {
  readonly metric: Labels;
  readonly values?: readonly Point<string>[];
  readonly histograms?: readonly Point<Histogram>[];
}

export type Data =
  | { readonly resultType: "scalar" | "string"; readonly result: Point<string> }
  | { readonly resultType: "vector"; readonly result: readonly Sample[] }
  | { readonly resultType: "matrix"; readonly result: readonly Series[] };

/** What a query wants to say beside its result. */
export interface Annotations {
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

export interface Answer extends Annotations {
  readonly data: Data;
}
