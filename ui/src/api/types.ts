// The shapes of the API, by their names. They are made from the server's own description of itself.

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Alert = Schemas["Alert"];
export type AlertContext = Schemas["AlertContext"];
export type AlertDetail = Schemas["AlertDetail"];
export type AlertsNow = Schemas["AlertsNow"];
export type ApiKey = Schemas["ApiKey"];
export type AuditItem = Schemas["AuditItem"];
export type AuditVerdict = Schemas["AuditVerdict"];
export type Bottleneck = Schemas["Bottleneck"];
export type Channel = Schemas["Channel"];
export type Collector = Schemas["Collector"];
export type Delivery = Schemas["Delivery"];
export type Diagnosis = Schemas["Diagnosis"];
export type HostNow = Schemas["HostNow"];
export type Job = Schemas["Job"];
export type NewApiKey = Schemas["NewApiKey"];
export type Fault = Schemas["Fault"];
export type HostNow = Schemas["HostNow"];
export type Job = Schemas["Job"];
export type LogContext = Schemas["LogContext"];
export type LogFacets = Schemas["LogFacets"];
export type LogHistogram = Schemas["LogHistogram"];
export type LogPage = Schemas["LogPage"];
export type LogPattern = Schemas["LogPattern"];
export type LogPatterns = Schemas["LogPatterns"];
export type LogRecord = Schemas["LogRecord"];
export type LlmCall = Schemas["List_LlmCall"]["items"][number];
export type Exit = Schemas["Exit"];
export type HostNow = Schemas["HostNow"];
export type Job = Schemas["Job"];
export type Judgement = Schemas["Judgement"];
export type Operation = Schemas["Operation"];
export type OperationAnswer = Schemas["OperationAnswer"];
export type Overview = Schemas["Overview"];
export type Probe = Schemas["Probe"];
export type Queue = Schemas["Queue"];
export type Collector = Schemas["Collector"];
export type Exit = Schemas["Exit"];
export type Gpu = Schemas["Gpu"];
export type Host = Schemas["Host"];
export type HostProcess = Schemas["Process"];
export type Probe = Schemas["Probe"];
export type Request = Schemas["List_Request"]["items"][number];
export type QueueDetail = Schemas["QueueDetail"];
export type RequestGroup = RequestStats["items"][number];
export type RequestStats = Schemas["RequestStats"];
export type Rule = Schemas["Rule"];
export type RulesReload = Schemas["RulesReload"];
export type Session = Schemas["Session"];
export type SqlAnswer = Schemas["SqlAnswer"];
export type StageNow = Schemas["StageNow"];
export type Stats = Schemas["Stats"];
export type Transition = Schemas["Transition"];
export type User = Schemas["User"];
export type SearchHint = Schemas["SearchHint"];
export type ServiceEdge = Schemas["ServiceEdge"];
export type ServiceMap = Schemas["ServiceMap"];
export type ServiceNode = Schemas["ServiceNode"];
export type Session = Schemas["Session"];
export type StageNow = Schemas["StageNow"];
export type Trace = Schemas["Trace"];
export type TraceList = Schemas["TraceList"];
export type TraceSpan = Schemas["TraceSpan"];
export type TraceSummary = Schemas["TraceSummary"];
export type Task = Schemas["Task"];
export type TouchedTask = Schemas["TouchedTask"];
export type Worker = Schemas["Worker"];
export type WorkerNow = Schemas["WorkerNow"];

/** A part of a list. */
export interface List<T> {
  readonly items: readonly T[];
  readonly total: number;
}
