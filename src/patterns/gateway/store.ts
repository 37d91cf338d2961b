// Items that wait for a worker, producers that wait for room, and those who wait until all is done.

import type { OperationOptions } from "../../../mod.ts";
import { Fifo } from "../base/fifo.ts";
import type { Item } from "./member.ts";

interface Waiter {
  readonly item: Item | undefined;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Promises that wait for their turn and can be cancelled. */
export class Waiters {
  readonly #line: Fifo<Waiter> = new Fifo();

  get length(): number {
    return this.#line.length;
  }

  /** Waits, for an item to be accepted or for nothing in particular. */
  add(item: Item | undefined, { signal }: OperationOptions = {}): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#line.remove(waiter);
        reject(signal!.reason);
      };
      const settled = () => signal?.removeEventListener("abort", abort);
      const waiter: Waiter = {
        item,
        resolve: () => {
          settled();
          resolve();
        },
        reject: (reason) => {
          settled();
          reject(reason);
        },
      };
      signal?.addEventListener("abort", abort);
      this.#line.push(waiter);
    });
  }

  /** Lets the first one go; its item. */
  next(): Item | undefined {
    const waiter = this.#line.shift();
    waiter?.resolve();
    return waiter?.item;
  }

  /** Ends the waiting of all. */
  rejectAll(reason: unknown): void {
    while (this.length > 0) this.#line.shift()!.reject(reason);
  }
}

/** Items without a worker. Those that came back go first. */
export class Store {
  readonly #most: number;
  readonly #returned: Fifo<Item> = new Fifo();
  readonly #items: Fifo<Item> = new Fifo();

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#returned.length + this.#items.length;
  }

  /** True when producers have to wait. What comes back from workers is taken all the same. */
  get full(): boolean {
    return this.length >= this.#most;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  giveBack(item: Item): void {
    this.#returned.push(item);
  }

  shift(): Item | undefined {
    return this.#returned.shift() ?? this.#items.shift();
  }
}
