// The memory of a job over its time, as its stages and components tell of it.

import { numberOf, type SqlRow, textOf } from "../../api/sql";
import type { JobDetail, JobStage } from "../types";
import { millis, type Stretch } from "./rows";

/** What was held at a time (in milliseconds), in bytes. */
export interface Level {
  readonly time: number;
  readonly bytes: number;
}

/** The most that was held within a stage. */
export interface Peak extends Stretch {
  readonly stage: string;
  readonly bytes: number;
}

/** A component that was loaded or given back. */
export interface ComponentEvent {
  readonly time: number;
  readonly component: string;
  readonly stage: string | null;
  readonly isLoad: boolean;
  readonly worker: string | null;
  readonly rss: number | null;
  readonly delta: number | null;
  readonly gpu: number | null;
}

export interface JobMemory {
  /** Resident memory, a line for each process that told of it. */
  readonly lines: readonly (readonly Level[])[];
  readonly peaks: readonly Peak[];
  /** Memory of the GPU. */
  readonly gpu: readonly (readonly Level[])[];
  /** The highest of all, in bytes; 0 where nothing is known. */
  readonly highest: number;
  readonly highestGpu: number;
}

/** The memory of a job at `now`, in milliseconds. */
export function memoryOf(job: JobDetail, components: readonly ComponentEvent[], now: number): JobMemory {
  const lines = new Map<string, Level[]>();
  const gpu = new Map<string, Level[]>();
  const add = (
    all: Map<string, Level[]>,
    key: string,
    time: number | null,
    bytes: number | null | undefined,
  ) => {
    if (time === null || bytes == null) return;
    const line = all.get(key) ?? [];
    line.push({ time, bytes });
    all.set(key, line);
  };
  for (const stage of job.stages) {
    // Another attempt may be another process, even under the same name.
    const key = `${stage.worker_id ?? ""} ${stage.attempt ?? 0}`;
    const [start, end] = [millis(stage.started_at), millis(stage.ended_at)];
    add(lines, key, start, stage.memory_rss_start_bytes);
    add(lines, key, end, stage.memory_rss_end_bytes);
    add(gpu, key, end ?? start, stage.gpu_memory_bytes);
  }
  for (const event of components) {
    const key = `${event.worker ?? ""} ${attemptAt(job, event.time)}`;
    add(lines, key, event.time, event.rss);
    add(gpu, key, event.time, event.gpu);
  }
  const peaks = job.stages.flatMap((stage) => peakOf(stage, now));
  const [levels, gpuLevels] = [sorted(lines), sorted(gpu)];
  return {
    lines: levels,
    peaks,
    gpu: gpuLevels,
    highest: highestOf([...levels.flat(), ...peaks]),
    highestGpu: highestOf(gpuLevels.flat()),
  };
}

function peakOf(stage: JobStage, now: number): readonly Peak[] {
  const start = millis(stage.started_at);
  if (start === null || stage.memory_peak_bytes == null) return [];
  return [{ start, end: millis(stage.ended_at) ?? now, stage: stage.stage, bytes: stage.memory_peak_bytes }];
}

/** The attempt that ran at a time. */
function attemptAt(job: JobDetail, time: number): number {
  return (
    job.attempts.findLast(({ started_at }) => (millis(started_at) ?? Number.POSITIVE_INFINITY) <= time)
      ?.number ?? 0
  );
}

function sorted(lines: Map<string, Level[]>): readonly (readonly Level[])[] {
  return [...lines.values()].map((line) => line.sort((a, b) => a.time - b.time));
}

function highestOf(levels: readonly { readonly bytes: number }[]): number {
  return levels.reduce((highest, { bytes }) => Math.max(highest, bytes), 0);
}

/** The rows of `component_events` as events. */
export function componentEventsOf(rows: readonly SqlRow[]): readonly ComponentEvent[] {
  return rows.flatMap((row) => {
    const [time, component] = [millis(textOf(row, "time")), textOf(row, "component")];
    if (time === null || component === null) return [];
    return [
      {
        time,
        component,
        stage: textOf(row, "stage"),
        isLoad: textOf(row, "action") === "component.loaded",
        worker: textOf(row, "worker_id"),
        rss: numberOf(row, "memory_rss_bytes"),
        delta: numberOf(row, "memory_delta_bytes"),
        gpu: numberOf(row, "gpu_memory_bytes"),
      },
    ];
  });
}

/** What the components of a job took and gave back, in bytes. */
export interface ComponentSum {
  readonly component: string;
  readonly loads: number;
  readonly unloads: number;
  readonly taken: number | null;
  readonly returned: number | null;
  /** What was taken and not given back; null of what was not given back at all, or says nothing of it. */
  readonly kept: number | null;
  readonly gpu: number | null;
}

/** By component, in the order in which they were told of first. */
export function componentSums(events: readonly ComponentEvent[]): readonly ComponentSum[] {
  return [...new Set(events.map(({ component }) => component))].map((component) => {
    const all = events.filter((event) => event.component === component);
    const [loads, unloads] = [all.filter(({ isLoad }) => isLoad), all.filter(({ isLoad }) => !isLoad)];
    const [taken, change] = [sumOf(loads), sumOf(unloads)];
    return {
      component,
      loads: loads.length,
      unloads: unloads.length,
      taken,
      returned: change === null ? null : -change,
      kept: taken === null || change === null || loads.length !== unloads.length ? null : taken + change,
      gpu: all.reduce<number | null>(
        (most, { gpu }) => (gpu === null ? most : Math.max(most ?? 0, gpu)),
        null,
      ),
    };
  });
}

function sumOf(events: readonly ComponentEvent[]): number | null {
  const known = events.flatMap(({ delta }) => (delta === null ? [] : [delta]));
  return known.length === 0 ? null : known.reduce((sum, delta) => sum + delta, 0);
}
