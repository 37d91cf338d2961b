// A clock that stands still until a test turns it.

import type { Cancel, Clock } from "../../src/clock.ts";

interface Timer {
  readonly due: number;
  /** What `after` was given. */
  readonly ms: number;
  readonly call: () => void;
}

/** Time and turns by hand. */
export class ManualClock implements Clock {
  #now = 0;
  #timers: Timer[] = [];
  #turns: (() => void)[] = [];
  /** How many things keep the process alive. */
  holds = 0;

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): Cancel {
    const timer = { due: this.#now + ms, ms, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  turn(call: () => void): void {
    this.#turns.push(call);
  }

  poll(call: () => void): void {
    this.turn(call);
  }

  hold(): Cancel {
    this.holds++;
    let held = true;
    return () => {
      if (held) this.holds--;
      held = false;
    };
  }

  /** The delays of the timers that run, in the order in which they were started. */
  get delays(): number[] {
    return this.#timers.map(({ ms }) => ms);
  }

  /** True when something waits for the end of the turn. */
  get turning(): boolean {
    return this.#turns.length > 0;
  }

  /** Lets time pass; timers are called in their order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.due);
      next.call();
    }
    this.#now = end;
  }

  /** Ends the turn of the event loop once; false when nothing waited for that. */
  endTurn(): boolean {
    const turns = this.#turns;
    this.#turns = [];
    for (const call of turns) call();
    return turns.length > 0;
  }

  /** Ends turns until nothing waits for one. */
  settle(): void {
    for (let i = 0; this.endTurn(); i++) {
      if (i === 1_000) throw new Error("Something asks for one turn after the other");
    }
  }
}

/** Lets promises that are resolved already take effect. */
export async function microtasks(): Promise<void> {
  for (let i = 0; i < 40; i++) await undefined;
}
