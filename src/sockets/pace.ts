// A loop of `await send()` or `await receive()` that never has to wait runs on microtasks alone: timers and I/O would
// starve. Now and then such an operation waits for the event loop to come round.

import type { Clock } from "../clock.ts";
import type { Turns } from "../link/turns.ts";

/** So many milliseconds may pass without a turn. */
const LIMIT = 5;
/** The clock is looked at once in so many operations at most; more often while they are slow. */
const LONGEST_STRIDE = 64;

export class Pace {
  readonly #clock: Clock;
  readonly #turns: Turns;
  #stride = 1;
  #left = 1;
  #looked = 0;
  /** Since when no turn was seen; undefined when one was seen after the last look. */
  #since: number | undefined;

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock;
    this.#turns = turns;
  }

  /** Counts an operation that did not wait; true when the event loop has to come round first. */
  due(): boolean {
    return --this.#left === 0 && this.#look();
  }

  /** Resolves when the event loop has come round. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.#clock.poll(resolve));
  }

  #look(): boolean {
    const now = this.#clock.now();
    const slow = now - this.#looked > LIMIT;
    this.#stride = slow
      ? Math.max(1, this.#stride >> 2)
      : Math.min(LONGEST_STRIDE, this.#stride << 1);
    this.#left = this.#stride;
    this.#looked = now;
    if (this.#since !== undefined) return now - this.#since > LIMIT;
    this.#since = now;
    this.#turns.once(() => this.#since = undefined);
    return false;
  }
}
