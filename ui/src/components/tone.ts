// What a colour means. There is no other use of colour.

export type Tone = "good" | "warn" | "bad" | "note" | "idle";

/** Text in the colour of a state. */
export const TONE_TEXT: Record<Tone, string> = {
  good: "text-good",
  warn: "text-warn",
  bad: "text-bad",
  note: "text-note",
  idle: "text-muted",
};

/** A label in the colours of a state. */
export const TONE_SOFT: Record<Tone, string> = {
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  note: "bg-note-soft text-note",
  idle: "bg-raised text-muted",
};

/** A mark in the colour of a state. */
export const TONE_FILL: Record<Tone, string> = {
  good: "bg-good",
  warn: "bg-warn",
  bad: "bg-bad",
  note: "bg-note",
  idle: "bg-line-strong",
};
