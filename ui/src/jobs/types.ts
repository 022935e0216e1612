// The shapes of jobs and of what belongs to them, as the API has them.

import type { components } from "../api/schema";

type Schemas = components["schemas"];

export type Attempt = Schemas["Attempt"];
export type JobDetail = Schemas["JobDetail"];
export type JobError = Schemas["JobError"];
export type JobStage = Schemas["Stage"];
export type JobLog = Schemas["LogRecord"];
export type JobLogPage = Schemas["LogPage"];
export type JobCall = Schemas["List_LlmCall"]["items"][number];
export type JobTrace = Schemas["Trace"];
export type JobSpan = Schemas["TraceSpan"];
