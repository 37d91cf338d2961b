// Keeps the process alive while something is pending, and no longer. Streams and listeners never do so by themselves.
// Letting go is put off to the end of the turn: request and reply in a loop would switch a timer on and off each time.

import type { Cancel, Clock } from "../clock.ts";
import type { Turns, TurnTask } from "./turns.ts";

export class KeepAlive implements TurnTask {
  readonly #clock: Clock;
  readonly #turns: Turns;
  #pending = 0;
  #checking = false;
  #release: Cancel | undefined;

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock;
    this.#turns = turns;
  }

  /** One more thing is pending. */
  acquire(): void {
    this.#pending++;
    this.#release ??= this.#clock.hold();
  }

  /** One thing less is pending. */
  release(): void {
    this.#pending--;
    if (this.#pending > 0 || this.#checking) return;
    this.#checking = true;
    this.#turns.add(this);
  }

  turnEnded(): boolean {
    this.#checking = false;
    if (this.#pending === 0) {
      this.#release?.();
      this.#release = undefined;
    }
    return false;
  }
}
