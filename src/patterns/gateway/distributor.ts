// Who gets what: items, workers with credit, and producers that wait.

import type { MessageLike, OperationOptions } from "../../../mod.ts";
import { Fifo } from "../base/fifo.ts";
import type { Item, Member } from "./member.ts";
import { COMMANDS, frameOf, WORK } from "./protocol.ts";
import { Store, Waiters } from "./store.ts";

/** What a `Distributor` needs of its gateway. */
export interface Carrier {
  /** Sends a message to a worker; false when its connection is gone. */
  tell(member: Member, message: readonly MessageLike[]): boolean;
  /** An item is given up. */
  failed(item: Item, error: unknown): void;
}

export class Distributor {
  readonly #carrier: Carrier;
  readonly #maxFailures: number;
  /** Workers with credit, in turn. */
  readonly #free: Fifo<Member> = new Fifo();
  readonly #store: Store;
  readonly #producers: Waiters = new Waiters();
  readonly #idle: Waiters = new Waiters();
  #tag = 0;
  #held = 0;
  readonly #counts = { accepted: 0, done: 0, returned: 0, failed: 0 };

  constructor(carrier: Carrier, maxBuffer: number, maxFailures: number) {
    this.#carrier = carrier;
    this.#store = new Store(maxBuffer);
    this.#maxFailures = maxFailures;
  }

  stats(): {
    [name in "buffered" | "held" | "waiting" | "accepted" | "done" | "returned" | "failed"]: number;
  } {
    return {
      ...this.#counts,
      buffered: this.#store.length,
      held: this.#held,
      waiting: this.#producers.length,
    };
  }

  /** True when there is nothing to do. */
  get isIdle(): boolean {
    return this.#store.length + this.#held + this.#producers.length === 0;
  }

  /** Accepts an item; false when the buffer is full, or others wait. */
  accept(item: Item): boolean {
    if (this.#producers.length > 0) return false;
    if (this.#store.length > 0 || !this.#give(item)) {
      if (this.#store.full) return false;
      this.#store.push(item);
    }
    this.#counts.accepted++;
    return true;
  }

  /** Waits until an item is accepted. */
  wait(item: Item, options?: OperationOptions): Promise<void> {
    return this.#producers.add(item, options);
  }

  /** Waits until there is nothing to do. */
  idle(options?: OperationOptions): Promise<void> {
    return this.#idle.add(undefined, options);
  }

  /** Ends all waiting. */
  end(reason: unknown): void {
    this.#producers.rejectAll(reason);
    this.#idle.rejectAll(reason);
  }

  /** Puts a worker with credit at the end of the line. */
  queue(member: Member): void {
    if (member.waiting || !member.free) return;
    member.waiting = true;
    this.#free.push(member);
  }

  /** The worker whose turn it is. */
  #next(): Member | undefined {
    for (;;) {
      const member = this.#free.first;
      if (member === undefined || member.free) return member;
      this.#free.shift();
      member.waiting = false;
    }
  }

  /** Gives an item to the worker whose turn it is; false when none has credit. */
  #give(item: Item): boolean {
    for (;;) {
      const member = this.#next();
      if (member === undefined) return false;
      const tag = this.#tag = (this.#tag + 1) >>> 0;
      try {
        const work = [member.id, COMMANDS[WORK], frameOf(tag), ...item.body];
        // It is not free any more, the next one is.
        if (!this.#carrier.tell(member, work)) continue;
      } catch (error) {
        // The context allows no frame of that size.
        this.#fail(item, error);
        return true;
      }
      member.held.set(tag, item);
      member.given++;
      this.#held++;
      this.#free.shift();
      member.waiting = false;
      this.queue(member);
      return true;
    }
  }

  /** Gives away what waits, as far as there is credit; then producers may have room. */
  pump(): void {
    while (this.#store.length > 0 && this.#next() !== undefined) {
      const item = this.#store.shift()!;
      if (!this.#give(item)) this.#store.giveBack(item);
    }
    while (this.#producers.length > 0) {
      if (this.#store.full && this.#next() === undefined) break;
      const item = this.#producers.next()!;
      this.#counts.accepted++;
      if (!this.#give(item)) this.#store.push(item);
    }
    if (this.isIdle) { while (this.#idle.length > 0) this.#idle.next(); }
  }

  /** A worker has done an item. What it does not hold any more was done by another, or will be. */
  done(member: Member, tag: number): void {
    if (!member.held.delete(tag)) return;
    member.done++;
    this.#held--;
    this.#counts.done++;
  }

  /** A worker has refused an item. */
  refused(member: Member, tag: number): void {
    if (this.#take(member, tag, true)) member.refused++;
  }

  /** Takes items from a worker for others; how many. `failure`: it may be their fault. */
  takeBack(member: Member, failure: boolean, kept?: ReadonlySet<number>): number {
    let count = 0;
    for (const tag of [...member.held.keys()]) {
      if (!kept?.has(tag) && this.#take(member, tag, failure)) count++;
    }
    return count;
  }

  #take(member: Member, tag: number, failure: boolean): boolean {
    const item = member.held.get(tag);
    if (item === undefined) return false;
    member.held.delete(tag);
    this.#held--;
    if (failure && ++item.failures >= this.#maxFailures) {
      this.#fail(item, undefined);
    } else {
      this.#counts.returned++;
      this.#store.giveBack(item);
    }
    return true;
  }

  #fail(item: Item, error: unknown): void {
    this.#counts.failed++;
    this.#carrier.failed(item, error);
  }
}
