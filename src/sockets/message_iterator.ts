// The messages of a socket, one after the other, until it is closed.

import { codeOf } from "../errors.ts";
import type { Frame } from "../message.ts";
import type { Engine } from "./engine.ts";

/** What a pending `receive` fails with when the socket is closed. */
const ENDINGS: readonly string[] = ["EAGAIN", "EBADF", "ETERM"];

/** Written by hand: an async generator costs three times as much for each message. */
export class MessageIterator implements AsyncIterableIterator<Frame[]> {
  readonly #engine: Engine;
  #done = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  next(): Promise<IteratorResult<Frame[], undefined>> {
    if (this.#done || this.#engine.closed) return Promise.resolve({ value: undefined, done: true });
    const value = this.#engine.ready();
    if (value !== undefined) return this.#engine.paced({ value, done: false });
    return this.#wait();
  }

  async #wait(): Promise<IteratorResult<Frame[], undefined>> {
    try {
      return { value: await this.#engine.receive(), done: false };
    } catch (error) {
      // Only what comes of the closing is the end of the loop.
      if (!this.#engine.closed || !ENDINGS.includes(codeOf(error))) throw error;
      this.#done = true;
      return { value: undefined, done: true };
    }
  }

  return(): Promise<IteratorResult<Frame[], undefined>> {
    this.#done = true;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
