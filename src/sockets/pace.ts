// A loop of `await send()` or `await receive()` that never has to wait runs on microtasks alone: timers and I/O would
// starve. Now and then such an operation waits for the event loop to come round; and a publisher, which never waits for its
// peers, gives those that have no room left a chance to take something before it drops what is for them.

import type { Clock } from "../clock.ts";
import type { Turns } from "../link/turns.ts";
import type { Crowd } from "../routing/distributor.ts";
import type { Pipe } from "../routing/pipe.ts";

/** So many milliseconds may pass without a turn. */
const LIMIT = 5;
/** The clock is looked at once in so many operations at most; more often while they are slow. */
const LONGEST_STRIDE = 64;
/** A full peer whose stream takes nothing for so many milliseconds and turns has stalled: either alone may be short. */
const STALL_TIME = 1;
const STALL_TURNS = 8;
/** Full peers are waited for so many milliseconds at once at most, and not for less than the turns that tell a stall, */
const LONGEST_WAIT = 20;
/** and, while most peers have room, no more than so many times as long as the sender was at work before. */
const PATIENCE = 3;

export class Pace implements Crowd {
  readonly #clock: Clock;
  readonly #turns: Turns;
  #stride = 1;
  #left = 1;
  #looked = 0;
  /** Since when no turn was seen; undefined when one was seen after the last look. */
  #since: number | undefined;
  /** Peers without room, to be waited for, and of how many. */
  #crowd: Set<Pipe> = new Set();
  #peers = 0;
  /** Until then it is not waited for peers. */
  #busyUntil = 0;

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock;
    this.#turns = turns;
  }

  /** Counts a send that did not wait; true when the event loop has to come round first. */
  due(): boolean {
    return this.#crowd.size > 0 || this.tired();
  }

  /** Resolves when the event loop has come round, and peers without room have had their chance. */
  turn(): Promise<void> {
    return this.#crowd.size > 0 ? this.#relieve() : this.rest();
  }

  /** Counts another operation that did not wait: the peers that senders wait for may be this one's to read for. */
  tired(): boolean {
    return --this.#left === 0 && this.#look();
  }

  /** Resolves when the event loop has come round. */
  rest(): Promise<void> {
    return new Promise((resolve) => this.#clock.poll(resolve));
  }

  get open(): boolean {
    return this.#clock.now() >= this.#busyUntil;
  }

  add(pipe: Pipe, peers: number): void {
    this.#crowd.add(pipe);
    this.#peers = peers;
  }

  /** Waits until none of the crowd has a batch left to be written, but for those that have stalled. */
  async #relieve(): Promise<void> {
    const start = this.#clock.now();
    let now = start;
    let turns = 0;
    let crowd = Array.from(this.#crowd, (pipe) => ({
      pipe,
      taken: pipe.outbox.taken,
      since: start,
      turns: 0,
    }));
    const few = 2 * crowd.length < this.#peers;
    this.#crowd.clear();
    do {
      await this.rest();
      turns++;
      now = this.#clock.now();
      crowd = crowd.filter((member) => {
        const { pipe } = member;
        if (pipe.outbox.taken !== member.taken) {
          member.taken = pipe.outbox.taken;
          member.since = now;
          member.turns = 0;
        } else if (++member.turns >= STALL_TURNS && now - member.since >= STALL_TIME) {
          pipe.stall();
        }
        return pipe.crowded && !pipe.stalled;
      });
    } while (crowd.length > 0 && (now - start < LONGEST_WAIT || turns < STALL_TURNS));
    // What a busy machine took of the time is not the peers' doing.
    const waited = Math.min(now - start, LONGEST_WAIT);
    this.#busyUntil = few ? now + waited / PATIENCE : now;
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
