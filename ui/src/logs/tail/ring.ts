// The last lines of a tail: so many are kept, and what falls out at the other end is counted.

export class Ring<T> {
  private readonly kept: (T | undefined)[];
  private begin = 0;
  private amount = 0;
  private fallen = 0;

  constructor(private readonly room: number) {
    this.kept = new Array<T | undefined>(room);
  }

  /** How many have fallen out since it was cleared. */
  get lost(): number {
    return this.fallen;
  }

  get size(): number {
    return this.amount;
  }

  push(item: T): void {
    this.kept[(this.begin + this.amount) % this.room] = item;
    if (this.amount < this.room) {
      this.amount += 1;
      return;
    }
    this.begin = (this.begin + 1) % this.room;
    this.fallen += 1;
  }

  clear(): void {
    this.kept.fill(undefined);
    [this.begin, this.amount, this.fallen] = [0, 0, 0];
  }

  /** What is kept, the oldest first, as it is now. */
  items(): readonly T[] {
    const end = this.begin + this.amount;
    const straight = this.kept.slice(this.begin, Math.min(end, this.room));
    const round = end > this.room ? this.kept.slice(0, end - this.room) : [];
    return straight.concat(round) as T[];
  }
}
