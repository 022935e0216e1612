// What a live tail has brought, made ready to be drawn: once a frame, however much came, and not at all while it is
// held. It knows neither the page nor how lines come.

import type { LogRecord } from "../../api/types";
import { Ring } from "./ring";

export type Entry =
  | { readonly kind: "line"; readonly key: number; readonly line: LogRecord }
  /** Lines that are missing here, and why. */
  | { readonly kind: "gap"; readonly key: number; readonly text: string };

/** How many lines are kept. */
export const KEPT = 5_000;

export type Held = "scroll" | "button";

export interface Picture {
  readonly entries: readonly Entry[];
  readonly held: Held | null;
  /** How many lines came since it is held. */
  readonly waiting: number;
  /** How many lines the server could not send, as they were not read fast enough. */
  readonly dropped: number;
  /** How many lines were let go here, as newer ones took their places. */
  readonly letGo: number;
  /** How many lines came in the last whole second. */
  readonly rate: number;
}

const NOTHING: Picture = { entries: [], held: null, waiting: 0, dropped: 0, letGo: 0, rate: 0 };

export class Feed {
  private readonly ring = new Ring<Entry>(KEPT);
  private readonly listeners = new Set<() => void>();
  private key = 0;
  private came = 0;
  private cameAtHold = 0;
  private dropped = 0;
  private held: Held | null = null;
  private frame: number | null = null;
  private rate = 0;
  private second = { since: 0, came: 0 };
  private shown = NOTHING;

  constructor(
    private readonly nextFrame: (draw: () => void) => number = (draw) => requestAnimationFrame(draw),
    private readonly cancelFrame: (frame: number) => void = (frame) => cancelAnimationFrame(frame),
    private readonly now: () => number = () => performance.now(),
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly picture = (): Picture => this.shown;

  line(line: LogRecord): void {
    this.came += 1;
    this.add({ kind: "line", key: this.nextKey(), line });
  }

  /** Lines that the server had no room for. */
  gap(count: number): void {
    this.dropped += count;
    const lines = count === 1 ? "1 line was" : `${count} lines were`;
    this.add({
      kind: "gap",
      key: this.nextKey(),
      text: `${lines} left out here: they came faster than read`,
    });
  }

  /** A stretch of which it is not known what came. */
  cut(): void {
    if (this.ring.size === 0) return;
    this.add({
      kind: "gap",
      key: this.nextKey(),
      text: "The connection was lost here: lines may be missing",
    });
  }

  hold(by: Held): void {
    if (this.held === by) return;
    if (this.held === null) this.cameAtHold = this.came;
    this.held = by;
    this.wake();
  }

  follow(): void {
    if (this.held === null) return;
    this.held = null;
    this.wake();
  }

  clear(): void {
    this.ring.clear();
    [this.dropped, this.cameAtHold] = [0, this.came];
    this.shown = { ...this.shown, entries: [] };
    this.wake();
  }

  /** Says how fast lines come; to be called about once a second. */
  tick(): void {
    const now = this.now();
    const passed = (now - this.second.since) / 1000;
    const rate =
      passed > 0 && this.second.since > 0 ? Math.round((this.came - this.second.came) / passed) : 0;
    this.second = { since: now, came: this.came };
    if (rate === this.rate) return;
    this.rate = rate;
    this.wake();
  }

  end(): void {
    if (this.frame !== null) this.cancelFrame(this.frame);
    this.frame = null;
  }

  private nextKey(): number {
    this.key += 1;
    return this.key;
  }

  private add(entry: Entry): void {
    this.ring.push(entry);
    this.wake();
  }

  private wake(): void {
    this.frame ??= this.nextFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  private draw(): void {
    const { held, dropped, rate } = this;
    this.shown = {
      // What somebody reads stays as it is.
      entries: held === null ? this.ring.items() : this.shown.entries,
      held,
      waiting: held === null ? 0 : this.came - this.cameAtHold,
      dropped,
      letGo: this.ring.lost,
      rate,
    };
    for (const listener of this.listeners) listener();
  }
}
