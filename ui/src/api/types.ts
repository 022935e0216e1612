// The shapes of the API, by their names. They are made from the server's own description of itself.

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Alert = Schemas["Alert"];
export type AlertsNow = Schemas["AlertsNow"];
export type Bottleneck = Schemas["Bottleneck"];
export type HostNow = Schemas["HostNow"];
export type Job = Schemas["Job"];
export type LlmCall = Schemas["List_LlmCall"]["items"][number];
export type Overview = Schemas["Overview"];
export type Queue = Schemas["Queue"];
export type Collector = Schemas["Collector"];
export type Exit = Schemas["Exit"];
export type Gpu = Schemas["Gpu"];
export type Host = Schemas["Host"];
export type HostProcess = Schemas["Process"];
export type Probe = Schemas["Probe"];
export type Request = Schemas["List_Request"]["items"][number];
export type RequestGroup = RequestStats["items"][number];
export type RequestStats = Schemas["RequestStats"];
export type Session = Schemas["Session"];
export type StageNow = Schemas["StageNow"];
export type Worker = Schemas["Worker"];
export type WorkerNow = Schemas["WorkerNow"];

/** A part of a list. */
export interface List<T> {
  readonly items: readonly T[];
  readonly total: number;
}
