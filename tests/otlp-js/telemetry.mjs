// Sends spans, records of logs and metrics by OpenTelemetry's SDK for JavaScript, and prints as JSON what they were.
//
// `node telemetry.mjs grpc|http/protobuf|http/json delta|cumulative`; everything else comes by the SDK's own variables
// (OTEL_EXPORTER_OTLP_…). What cannot be sent is told on standard error.

import {
  context,
  DiagConsoleLogger,
  DiagLogLevel,
  diag,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { AggregationTemporalityPreference } from "@opentelemetry/exporter-metrics-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { LoggerProvider, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

const PACKAGES = { grpc: "grpc", "http/protobuf": "proto", "http/json": "http" };
const TEMPORALITIES = {
  delta: AggregationTemporalityPreference.DELTA,
  cumulative: AggregationTemporalityPreference.CUMULATIVE,
};

const [protocol, temporality] = process.argv.slice(2);
const exporterOf = (signal) => import(`@opentelemetry/exporter-${signal}-otlp-${PACKAGES[protocol]}`);
const { OTLPTraceExporter } = await exporterOf("trace");
const { OTLPLogExporter } = await exporterOf("logs");
const { OTLPMetricExporter } = await exporterOf("metrics");

diag.setLogger(new DiagConsoleLogger(), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });

const resource = resourceFromAttributes({
  "service.name": `js-${PACKAGES[protocol]}-${temporality}`,
  "service.namespace": "docs",
  "service.version": "1.2",
  "service.instance.id": "i-1",
  "deployment.environment.name": "test",
  "cloud.region": "eu",
});
const tracers = new BasicTracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter())] });
const loggers = new LoggerProvider({
  resource,
  processors: [new SimpleLogRecordProcessor({ exporter: new OTLPLogExporter() })],
});
const meters = new MeterProvider({
  resource,
  readers: [
    new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ temporalityPreference: TEMPORALITIES[temporality] }),
    }),
  ],
});

/** A time as OpenTelemetry's API takes it, and the same in nanoseconds, which no number of JavaScript holds. */
function instant(milliseconds, nanoseconds) {
  const time = [Math.floor(milliseconds / 1000), (milliseconds % 1000) * 1_000_000 + nanoseconds];
  return { time, nanos: String(BigInt(time[0]) * 1_000_000_000n + BigInt(time[1])) };
}

const begun = Date.now() - 2_000;
const start = instant(begun, 7);
const end = instant(begun + 1_500, 1_008);
const noted = instant(begun + 20, 5);
const said = instant(begun + 30, 9);

const tracer = tracers.getTracer("docpipe", "0.1");
const earlier = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: TraceFlags.SAMPLED };
const job = tracer.startSpan("job", {
  kind: SpanKind.CONSUMER,
  startTime: start.time,
  attributes: { job_id: "j1", "messaging.system": "redis", "messaging.destination.name": "documents" },
  links: [{ context: earlier, attributes: { "link.reason": "tried again" } }],
});
const inJob = trace.setSpan(context.active(), job);
const chat = tracer.startSpan("chat llama", { kind: SpanKind.CLIENT, startTime: start.time }, inJob);
chat.setAttributes({
  "gen_ai.request.model": "llama",
  "gen_ai.usage.input_tokens": 11,
  text: "naïve ☃",
  integer: -42,
  double: 0.25,
  yes: true,
  texts: ["a", "b"],
  integers: [1, 2],
  doubles: [0.5, 1.5],
  flags: [true, false],
});
chat.addEvent("page.read", { page: 3 }, noted.time);
chat.recordException(Object.assign(new TypeError("no answer"), { stack: "at chat" }), noted.time);
chat.setStatus({ code: SpanStatusCode.ERROR, message: "timed out" });
chat.end(end.time);
job.setStatus({ code: SpanStatusCode.OK });
job.end(end.time);

const logger = loggers.getLogger("docpipe", "0.1");
logger.emit({
  timestamp: said.time,
  severityNumber: SeverityNumber.WARN,
  severityText: "WARNING",
  body: "page 3 took long",
  eventName: "page.slow",
  attributes: { job_id: "j1", page: 3, ratio: 0.5, late: true, words: ["a", 1], size: { width: 4 }, raw: new Uint8Array([1, 2]) },
  context: trace.setSpan(context.active(), chat),
});
logger.emit({ timestamp: said.time, severityNumber: SeverityNumber.ERROR2, body: { page: 4, reason: "torn", parts: [1, 2] } });

// Twice, with an export between: differences have to be added up, sums not.
const meter = meters.getMeter("docpipe");
const done = meter.createCounter("pages.done", { unit: "{page}" });
const waiting = meter.createUpDownCounter("pages.waiting");
const heat = meter.createGauge("gpu.temperature", { unit: "Cel" });
const took = meter.createHistogram("page.duration", { unit: "s", advice: { explicitBucketBoundaries: [0.1, 1, 10] } });
const labels = { "queue.name": "ocr" };
for (const [pages, change, degrees, seconds] of [
  [4, 9, 61.5, [0.0625, 0.5]],
  [3, -2, 64.25, [2, 50]],
]) {
  done.add(pages, labels);
  waiting.add(change, labels);
  heat.record(degrees, labels);
  for (const each of seconds) took.record(each, labels);
  await meters.forceFlush();
  // Samples have milliseconds, and two of one series may not have the same.
  await new Promise((resolve) => setTimeout(resolve, 2));
}

await Promise.all([tracers.shutdown(), loggers.shutdown(), meters.shutdown()]);

const ids = (span) => ({ trace_id: span.spanContext().traceId, span_id: span.spanContext().spanId });
console.log(
  JSON.stringify({
    job: ids(job),
    chat: ids(chat),
    start: start.nanos,
    duration: 1_500_001_001,
    noted: noted.nanos,
    said: said.nanos,
    earlier: { trace_id: earlier.traceId, span_id: earlier.spanId },
  }),
);
