// The parts of a reply, as they come.

import { type Frame, ZmqError } from "../../../mod.ts";
import type { AskResult } from "./ask.ts";
import type { MajordomoPart } from "./client_options.ts";
import { Fifo } from "../base/fifo.ts";

/** Parts that were not read. */
const MOST_PARTS = 10_000;

type Result = IteratorResult<MajordomoPart, undefined>;
const DONE: Result = { value: undefined, done: true };

export class Parts implements AskResult, AsyncIterableIterator<MajordomoPart> {
  readonly #drop: () => void;
  readonly #parts: Fifo<MajordomoPart> = new Fifo();
  readonly #readers: Fifo<{ resolve(result: Result): void; reject(error: unknown): void }> =
    new Fifo();
  #over = false;
  #failure: { error: unknown } | undefined;

  /** `drop` gives the request up. */
  constructor(drop: () => void) {
    this.#drop = drop;
  }

  part(body: Frame[]): void {
    this.#add({ body, final: false });
    if (this.#parts.length <= MOST_PARTS) return;
    this.#drop();
    this.fail(
      new ZmqError(
        "ENOBUFS",
        `More than ${MOST_PARTS} parts of a reply were not read: read faster`,
      ),
    );
  }

  done(body: Frame[]): void {
    this.#add({ body, final: true });
    this.#end();
  }

  fail(error: unknown): void {
    if (this.#over) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.reject(error);
    else this.#failure = { error };
    this.#end();
  }

  #add(part: MajordomoPart): void {
    if (this.#over) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.resolve({ value: part, done: false });
    else this.#parts.push(part);
  }

  #end(): void {
    this.#over = true;
    while (this.#readers.length > 0) this.#readers.shift()!.resolve(DONE);
  }

  next(): Promise<Result> {
    const value = this.#parts.shift();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error);
    }
    if (this.#over) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  return(): Promise<Result> {
    this.#drop();
    this.#end();
    while (this.#parts.length > 0) this.#parts.shift();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
