import { describe, expect, it } from "vitest";
import type { AlertDetail, Delivery, Transition } from "../api/types";
import { episodesOf, isAbout, stepsOf } from "./timeline";

const change = (time: string, from: string, to: string, more: Partial<Transition> = {}): Transition => ({
  time,
  from,
  to,
  ...more,
});

const ALERT: AlertDetail = {
  id: "1",
  rule_id: "2",
  group: "queues",
  rule: "QueueBacklog",
  severity: "critical",
  labels: { alertname: "QueueBacklog", severity: "critical", queue: "llm", host: "a", kind: "b" },
  annotations: {},
  evidence: {},
  state: "resolved",
  held: false,
  active_at: "2026-12-01T00:00:00Z",
  fired_at: "2026-12-01T00:01:00Z",
  resolved_at: "2026-12-01T00:30:00Z",
  last_notified_at: "2026-12-01T00:30:00Z",
  updated_at: "2026-12-01T00:30:00Z",
  history: [
    change("2026-12-01T00:30:00Z", "acknowledged", "resolved"),
    change("2026-12-01T00:10:00Z", "firing", "acknowledged", { actor: "olga", note: "I look" }),
    change("2026-12-01T00:01:00Z", "pending", "firing", { value: 150 }),
    change("2026-12-01T00:00:00Z", "inactive", "pending", { value: 120 }),
  ],
};

const delivery = (subject: string, created_at: string, more: Partial<Delivery> = {}): Delivery => ({
  id: subject,
  channel: "bridge",
  subject,
  state: "delivered",
  attempts: 1,
  created_at,
  next_attempt_at: created_at,
  ...more,
});

describe("the timeline of an alert", () => {
  it("tells what happened, and who was told with what outcome, newest first", () => {
    const subject = "QueueBacklog b llm: llm has a backlog";
    const steps = stepsOf(ALERT, [
      delivery(`[RESOLVED] [critical] ${subject}`, "2026-12-01T00:30:00.100Z", {
        state: "failed",
        attempts: 3,
        outcome: "refused",
      }),
      delivery(`[FIRING] [critical] ${subject}`, "2026-12-01T00:01:00.200Z"),
    ]);
    expect(steps.map(({ text, note }) => [text, note])).toEqual([
      ["Its end told over bridge: failed, and is tried again after 3 attempts", "refused"],
      ["Resolved: its condition has gone", null],
      ["Acknowledged by olga", "I look"],
      ["That it fires told over bridge: delivered", null],
      ["Fired, at 150", null],
      ["Its condition began to hold, at 120", null],
    ]);
  });

  it.each([
    ["[FIRING] [critical] QueueBacklog b llm: it has", "2026-12-01T00:01:00Z", true],
    ["[FIRING] (still) [critical] QueueBacklog b llm: it has", "2026-12-01T04:01:00Z", true],
    ["[FIRING] [critical] QueueBacklog b other: it has", "2026-12-01T00:01:00Z", false],
    ["[FIRING] [critical] QueueBacklogs b llm: it has", "2026-12-01T00:01:00Z", false],
    ["[FIRING:5] [critical] QueueBacklog: it has, and others", "2026-12-01T00:01:01Z", true],
    ["[FIRING:5] [critical] QueueBacklog: it has, and others", "2026-12-01T00:05:00Z", false],
    ["of another kind", "2026-12-01T00:01:00Z", false],
  ])("has what is about it: %s at %s", (subject, time, is) => {
    expect(isAbout(ALERT, delivery(subject, time))).toBe(is);
  });

  it("knows when the alert fired", () => {
    const at = (time: string) => Date.parse(`2026-12-01T${time}Z`) / 1000;
    expect(episodesOf(ALERT, 0)).toEqual([{ start: at("00:01:00"), end: at("00:30:00") }]);
    const history = [change("2026-12-01T02:00:00Z", "resolved", "firing"), ...ALERT.history];
    const now = at("03:00:00");
    expect(episodesOf({ ...ALERT, history, resolved_at: null }, now)).toEqual([
      { start: at("00:01:00"), end: at("00:30:00") },
      { start: at("02:00:00"), end: now },
    ]);
    expect(episodesOf({ ...ALERT, history: [] }, now)).toEqual([
      { start: at("00:01:00"), end: at("00:30:00") },
    ]);
    expect(episodesOf({ ...ALERT, history: [], fired_at: null }, now)).toEqual([]);
  });
});
