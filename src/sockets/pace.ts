// A loop of `await send()` or `await receive()` that never has to wait runs on microtasks alone: timers and I/O would
// starve. Now and then such an operation waits for the event loop to come round.

import type { Clock } from "../clock.ts";
import type { Turns } from "../link/turns.ts";

/** The clock is looked at once in so many operations; a power of two. */
const STRIDE = 64;
/** So many milliseconds may pass without a turn. */
const LIMIT = 5;

export class Pace {
  readonly #clock: Clock;
  readonly #turns: Turns;
  #operations = 0;
  /** Since when no turn was seen; undefined when one was seen after the last look. */
  #since: number | undefined;

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock;
    this.#turns = turns;
  }

  /** Counts an operation that did not wait; true when the event loop has to come round first. */
  due(): boolean {
    if ((++this.#operations & (STRIDE - 1)) !== 0) return false;
    const now = this.#clock.now();
    if (this.#since !== undefined) return now - this.#since > LIMIT;
    this.#since = now;
    this.#turns.once(() => this.#since = undefined);
    return false;
  }
}
