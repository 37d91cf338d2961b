// Between a loop that receives and those who take: a queue whose reader can be waited for, and whose writer can wait.

import type { OperationOptions } from "../../../mod.ts";
import { Fifo } from "./fifo.ts";

const LAST: IteratorReturnResult<undefined> = { value: undefined, done: true };

interface Taker<T> {
  readonly resolve: (item: T) => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly abort: () => void;
}

/** What was received and not taken yet. Its writer asks `full` and waits for `room`. */
export class Inbox<T> {
  readonly #most: number;
  readonly #ended: () => unknown;
  readonly #items: Fifo<T> = new Fifo();
  readonly #takers: Taker<T>[] = [];
  #room: PromiseWithResolvers<void> | undefined;
  #over = false;

  /** `most` items make it full; `ended` is the error for those who wait when it is over. */
  constructor(most: number, ended: () => unknown) {
    this.#most = most;
    this.#ended = ended;
  }

  /** How many items wait to be taken. */
  get length(): number {
    return this.#items.length;
  }

  /** True when the writer should wait. */
  get full(): boolean {
    return !this.#over && this.length >= this.#most;
  }

  /** Resolves when there is room, or it is over. */
  room(): Promise<void> {
    if (!this.full) return Promise.resolve();
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Adds an item, however full it is. */
  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) {
      this.#items.push(item);
    } else {
      taker.signal?.removeEventListener("abort", taker.abort);
      taker.resolve(item);
    }
  }

  /** The first item, if there is one. */
  tryTake(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items.shift();
    if (this.#room !== undefined && !this.full) this.#freed();
    return item;
  }

  /** The next item, as soon as there is one. Rejects when it is over, and with the signal's reason. */
  take({ signal }: OperationOptions = {}): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.length > 0) return Promise.resolve(this.tryTake()!);
    if (this.#over) return Promise.reject(this.#ended());
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const abort = () => {
      this.#takers.splice(this.#takers.indexOf(taker), 1);
      reject(signal!.reason);
    };
    const taker: Taker<T> = { resolve, reject, signal, abort };
    signal?.addEventListener("abort", abort, { once: true });
    this.#takers.push(taker);
    return promise;
  }

  /** Takes away all items. */
  clear(): T[] {
    const items: T[] = [];
    while (this.length > 0) items.push(this.#items.shift()!);
    this.#freed();
    return items;
  }

  /** Nothing comes any more; what is there can still be taken. */
  end(): void {
    this.#over = true;
    this.#freed();
    for (const { signal, abort, reject } of this.#takers.splice(0)) {
      signal?.removeEventListener("abort", abort);
      reject(this.#ended());
    }
  }

  /** Iterates until it is over. Written by hand: an async generator costs much more for each item. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    let left = false;
    const next = (): Promise<IteratorResult<T, undefined>> => {
      if (!left && this.length > 0) return Promise.resolve({ value: this.tryTake()!, done: false });
      if (left || this.#over) return Promise.resolve(LAST);
      return this.take().then((value) => ({ value, done: false }), (error) => {
        if (this.#over) return LAST;
        throw error;
      });
    };
    const leave = (): Promise<IteratorResult<T, undefined>> => {
      left = true;
      return Promise.resolve(LAST);
    };
    const iterator = { next, return: leave, [Symbol.asyncIterator]: () => iterator };
    return iterator;
  }

  #freed(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
