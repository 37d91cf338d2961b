// The time of one part, in steps. It does not count the time in which the process stood still: what others said meanwhile
// has not been read yet, so nobody is to be given up for it.

import { type Cancel, every, now } from "./time.ts";

/** A step may be so much later on a busy machine, in milliseconds; longer than that is standing still. */
const LATE = 100;
/** Steps are no shorter, in milliseconds. */
const SHORTEST = 5;

/** Calls at regular times. */
export class Ticker {
  readonly #step: number;
  readonly #call: (time: number) => void;
  #cancel: Cancel | undefined;
  #last = 0;
  /** Milliseconds. */
  time = 0;

  /** Calls every `step` milliseconds, once it is started. */
  constructor(step: number, call: (time: number) => void) {
    this.#step = Math.max(SHORTEST, step);
    this.#call = call;
  }

  get running(): boolean {
    return this.#cancel !== undefined;
  }

  start(): this {
    if (this.#cancel === undefined) {
      this.#last = now();
      this.#cancel = every(this.#step, this.#tick);
    }
    return this;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #tick = (): void => {
    const time = now();
    this.time += Math.min(time - this.#last, this.#step + LATE);
    this.#last = time;
    this.#call(this.time);
  };
}
