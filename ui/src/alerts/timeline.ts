// What happened to an alert, from its history and from the notifications about it.

import type { Alert, AlertDetail, Delivery, Transition } from "../api/types";
import type { Tone } from "../components/tone";
import { toneOf } from "./order";

export interface Step {
  readonly key: string;
  readonly time: string;
  readonly tone: Tone;
  /** What happened. */
  readonly text: string;
  /** What was said of it. */
  readonly note: string | null;
}

/** Everything that is known, newest first. */
export function stepsOf(alert: AlertDetail, deliveries: readonly Delivery[]): readonly Step[] {
  const changes = alert.history.map((change, place) => changeStep(alert, change, place));
  const told = deliveries.filter((delivery) => isAbout(alert, delivery)).map(deliveryStep);
  return [...told, ...changes].sort((a, b) => Date.parse(b.time) - Date.parse(a.time));
}

function changeStep(alert: Alert, change: Transition, place: number): Step {
  const { tone, text } = wordsOf(alert, change);
  return { key: `change ${place}`, time: change.time, tone, text, note: change.note || null };
}

function wordsOf(alert: Alert, { from, to, actor, value }: Transition): { tone: Tone; text: string } {
  const at = value == null ? "" : `, at ${Number(value.toPrecision(4))}`;
  switch (to) {
    case "pending":
      return { tone: "idle", text: `Its condition began to hold${at}` };
    case "firing":
      return { tone: toneOf(alert.severity), text: `Fired${at}` };
    case "acknowledged":
      return { tone: "note", text: `Acknowledged by ${actor ?? "somebody"}` };
    case "resolved":
      return { tone: "good", text: actor ? `Resolved by ${actor}` : "Resolved: its condition has gone" };
    case "inactive":
      return { tone: "good", text: from === "pending" ? "Its condition went before it fired" : "Over" };
    default:
      return { tone: "idle", text: `Became ${to}` };
  }
}

const OUTCOMES: Record<string, { readonly tone: Tone; readonly text: string }> = {
  pending: { tone: "idle", text: "waits to be sent" },
  failed: { tone: "warn", text: "failed, and is tried again" },
  delivered: { tone: "good", text: "delivered" },
  dead: { tone: "bad", text: "given up" },
};

/** How the state of a notification is told. */
export function deliveryOutcome(state: string): { readonly tone: Tone; readonly text: string } {
  return OUTCOMES[state] ?? { tone: "idle", text: state };
}

function deliveryStep(delivery: Delivery): Step {
  const { tone, text } = deliveryOutcome(delivery.state);
  const tries = delivery.attempts > 1 ? ` after ${delivery.attempts} attempts` : "";
  return {
    key: `delivery ${delivery.id}`,
    time: delivery.created_at,
    tone,
    text: `${whatOf(delivery.subject)} told over ${delivery.channel}: ${text}${tries}`,
    note: delivery.outcome || null,
  };
}

function whatOf(subject: string): string {
  if (subject.startsWith("[RESOLVED")) return "Its end";
  return subject.includes("] (still) ") ? "That it still fires" : "That it fires";
}

/** A subject as the server writes it: `[FIRING:5] (still) [critical] QueueBacklog llm: it has a backlog`. */
const SUBJECT = /^\[(?:FIRING|RESOLVED)(:\d+)?\](?: \(still\))? \[\w+\] (.*)$/s;

/** How far the time of a notification lies from that of what it tells, at the most, in milliseconds. */
const SLACK = 3_000;

/**
 * Whether a notification is about an alert. Notifications name no alert but in their subject, so that is read: of
 * one alert it has its labels; of several of a rule only the time tells.
 */
export function isAbout(alert: AlertDetail, { subject, created_at }: Delivery): boolean {
  const parts = SUBJECT.exec(subject);
  if (!parts) return false;
  const [, several, rest = ""] = parts;
  const created = Date.parse(created_at);
  if (several === undefined) {
    const labels = subjectLabels(alert.labels);
    const begin = labels === "" ? alert.rule : `${alert.rule} ${labels}`;
    return follows(rest, begin) && alert.history.some(({ time }) => Date.parse(time) <= created + SLACK);
  }
  if (!follows(rest, alert.rule)) return false;
  const times = [alert.last_notified_at ?? "", ...alert.history.map(({ time }) => time)];
  return times.some((time) => Math.abs(Date.parse(time) - created) <= SLACK);
}

/** Whether a subject begins so; one that is cut may end before that. */
function follows(rest: string, begin: string): boolean {
  return rest === begin || rest.startsWith(`${begin}: `) || (begin.length > 150 && begin.startsWith(rest));
}

const HIDDEN = ["alertname", "severity", "state", "host", "instance", "job"];

/** The labels that the subject of a single alert has, in their order. */
function subjectLabels(labels: Alert["labels"]): string {
  const names = Object.keys(labels).sort();
  const telling = names.filter((name) => !HIDDEN.includes(name)).map((name) => labels[name] ?? "");
  const shown = telling.length > 0 ? telling : labels.host === undefined ? [] : [labels.host];
  return shown.join(" ");
}

export interface Episode {
  readonly start: number;
  readonly end: number;
}

/** When the alert fired, in seconds since the epoch; what fires still does until `now`. Oldest first. */
export function episodesOf({ history, fired_at, resolved_at }: AlertDetail, now: number): readonly Episode[] {
  const episodes: Episode[] = [];
  let start: number | null = null;
  for (const { time, to } of history.toReversed()) {
    const at = Date.parse(time) / 1000;
    if (to === "firing") start ??= at;
    else if (to !== "acknowledged" && start !== null) {
      episodes.push({ start, end: at });
      start = null;
    }
  }
  // A history that is cut knows no beginning.
  if (start === null && episodes.length === 0 && fired_at) start = Date.parse(fired_at) / 1000;
  if (start !== null) episodes.push({ start, end: resolved_at ? Date.parse(resolved_at) / 1000 : now });
  return episodes;
}
