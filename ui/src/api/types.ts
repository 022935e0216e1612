// The shapes of the API, by their names. They are made from the server's own description of itself.

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Alert = Schemas["Alert"];
export type AlertsNow = Schemas["AlertsNow"];
export type Bottleneck = Schemas["Bottleneck"];
export type Exit = Schemas["Exit"];
export type HostNow = Schemas["HostNow"];
export type Job = Schemas["Job"];
export type Judgement = Schemas["Judgement"];
export type Operation = Schemas["Operation"];
export type OperationAnswer = Schemas["OperationAnswer"];
export type Overview = Schemas["Overview"];
export type Queue = Schemas["Queue"];
export type QueueDetail = Schemas["QueueDetail"];
export type RequestGroup = RequestStats["items"][number];
export type RequestStats = Schemas["RequestStats"];
export type Session = Schemas["Session"];
export type SqlAnswer = Schemas["SqlAnswer"];
export type StageNow = Schemas["StageNow"];
export type Task = Schemas["Task"];
export type TouchedTask = Schemas["TouchedTask"];
export type Worker = Schemas["Worker"];
export type WorkerNow = Schemas["WorkerNow"];

/** A part of a list. */
export interface List<T> {
  readonly items: readonly T[];
  readonly total: number;
}
