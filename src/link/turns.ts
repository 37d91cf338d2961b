// Work for the end of the event loop's turn, collected so that many links cost one call.

import type { Clock } from "../clock.ts";

/** Something to do at the end of each turn for as long as it answers true. */
export interface TurnTask {
  turnEnded(): boolean;
}

export class Turns {
  readonly #clock: Clock;
  #tasks: TurnTask[] = [];
  #scheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `task` at the end of this turn. A task must not be added while it is in. */
  add(task: TurnTask): void {
    this.#tasks.push(task);
    this.#schedule();
  }

  /** Calls once at the end of this turn. */
  once(call: () => void): void {
    this.add({ turnEnded: () => (call(), false) });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.turn(this.#run);
  }

  #run = (): void => {
    this.#scheduled = false;
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) if (task.turnEnded()) this.#tasks.push(task);
    if (this.#tasks.length > 0) this.#schedule();
  };
}
