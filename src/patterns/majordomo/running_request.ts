// One request that a handler works on.

import { StateError } from "../../../mod.ts";
import type { Body } from "../base/octets.ts";
import { EMPTY } from "./protocol.ts";
import type { MajordomoRequestInfo } from "./worker_options.ts";

/** Where replies go. */
export interface ReplySink {
  readonly signal: AbortSignal;
  reply(address: Uint8Array, body: Body): void;
  partial(address: Uint8Array, body: Body): Promise<void>;
  failed(error: unknown): void;
}

/** What a handler is given, and what becomes of its work. */
export class RunningRequest implements MajordomoRequestInfo {
  readonly #conversation: ReplySink;
  readonly #address: Uint8Array;
  #answered = false;

  constructor(conversation: ReplySink, address: Uint8Array) {
    this.#conversation = conversation;
    this.#address = address;
  }

  get signal(): AbortSignal {
    return this.#conversation.signal;
  }

  readonly partial = (body: Body): Promise<void> => {
    if (!this.#answered) return this.#conversation.partial(this.#address, body);
    return Promise.reject(new StateError("EBADF", "The request was answered already"));
  };

  done(body: Body): void {
    try {
      this.#answered = true;
      this.#conversation.reply(this.#address, body);
    } catch (error) {
      this.fail(error); // it cannot be sent
    }
  }

  fail(error: unknown): void {
    this.#answered = true;
    this.#conversation.failed(error);
  }

  settle(result: Promise<Body>): void {
    result.then((body) => this.done(body), (error) => this.fail(error));
  }

  /** Sends what is yielded; resolves to what is returned. */
  async stream(parts: AsyncIterable<Body>): Promise<Body> {
    const iterator = parts[Symbol.asyncIterator]() as AsyncIterator<Body, Body | undefined>;
    for (;;) {
      const { value, done } = await iterator.next();
      if (done) return value ?? EMPTY;
      try {
        await this.partial(value as Body);
      } catch (error) {
        await iterator.return?.();
        throw error;
      }
    }
  }
}

/** True for what yields parts. */
export function isIterable(result: unknown): result is AsyncIterable<Body> {
  return typeof result === "object" && result !== null && Symbol.asyncIterator in result;
}
