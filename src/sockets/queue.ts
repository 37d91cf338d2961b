// Operations that wait: each ends once, by what it waited for, by its timeout, by its signal or by the socket's close.

import type { Cancel } from "../clock.ts";
import { ZmqError } from "../errors.ts";
import type { Surroundings } from "../link/host.ts";

/** How one call of `send` or `receive` can be limited. */
export interface OperationOptions {
  /** Cancels the operation while it waits: it rejects with the signal's reason, and no message is lost. */
  readonly signal?: AbortSignal | undefined;
}

/** One waiting operation; `subject` is what it is about (the message of a send). */
interface Entry<S, R> {
  readonly subject: S;
  readonly resolve: (result: R) => void;
  readonly reject: (reason: unknown) => void;
  cancel: Cancel | undefined;
}

export class OperationQueue<S, R> {
  readonly #around: Surroundings;
  readonly #what: string;
  #entries: Entry<S, R>[] = [];

  /** `what` completes the sentence of a timeout: "no … within 100 ms". */
  constructor(around: Surroundings, what: string) {
    this.#around = around;
    this.#what = what;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** What the first operation is about. Only when `length` is not 0. */
  get first(): S {
    return this.#entries[0].subject;
  }

  /** Adds an operation that ends by itself after `timeout` ms (negative: never; 0: at once). */
  add(subject: S, timeout: number, signal: AbortSignal | undefined): Promise<R> {
    if (timeout === 0) return Promise.reject(this.#late(0));
    return new Promise((resolve, reject) => {
      const entry: Entry<S, R> = { subject, resolve, reject, cancel: undefined };
      this.#entries.push(entry);
      this.#around.keepAlive.acquire();
      if (timeout < 0 && signal === undefined) return;
      const stop = () => this.#remove(entry, signal!.reason);
      const cancelTimer = timeout < 0
        ? undefined
        : this.#around.clock.after(timeout, () => this.#remove(entry, this.#late(timeout)));
      signal?.addEventListener("abort", stop);
      entry.cancel = () => {
        cancelTimer?.();
        signal?.removeEventListener("abort", stop);
      };
    });
  }

  /** Ends the first operation. */
  resolve(result: R): void {
    this.#settle(this.#entries.shift()!).resolve(result);
  }

  reject(reason: unknown): void {
    this.#settle(this.#entries.shift()!).reject(reason);
  }

  /** Ends all that wait. */
  rejectAll(reason: () => unknown): void {
    while (this.#entries.length > 0) this.reject(reason());
  }

  #remove(entry: Entry<S, R>, reason: unknown): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#settle(entry).reject(reason);
  }

  #settle(entry: Entry<S, R>): Entry<S, R> {
    entry.cancel?.();
    this.#around.keepAlive.release();
    return entry;
  }

  #late(timeout: number): ZmqError {
    return new ZmqError(
      "EAGAIN",
      `Operation was not possible or timed out: no ${this.#what}${
        timeout > 0 ? ` within ${timeout} ms` : ""
      }`,
    );
  }
}
