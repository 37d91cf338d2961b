// What node:tls runs on: a duplex stream of Node over a stream of this package, with the limits of both.

import type { ByteSink, ByteStream } from "../link/stream.ts";
import { builtin } from "./builtin.ts";

/** What is used of a Duplex of node:stream. */
export interface NodeDuplex {
  readonly writableNeedDrain: boolean;
  push(chunk: Uint8Array | null): boolean;
  on(event: "error", call: (error: unknown) => void): void;
  once(event: "drain", call: () => void): void;
  destroy(): void;
}

interface DuplexOptions {
  readonly readableHighWaterMark: number;
  read(): void;
  write(octets: Uint8Array, encoding: unknown, done: () => void): void;
  final(done: () => void): void;
}

/** What is used of node:stream. */
export interface NodeStreams {
  readonly Duplex: new (options: DuplexOptions) => NodeDuplex;
}

/** What is read at once: little from a quiet peer, at most a few records of TLS. */
const SMALLEST = 4 * 1024;
const LARGEST = 64 * 1024;
/** Less than this at the end of a slab is not worth a read. */
const REST = 1024;

export class Carrier implements ByteSink {
  readonly duplex: NodeDuplex;
  readonly #stream: ByteStream;
  readonly #ended: (error: unknown) => void;
  /** Octets are handed on where they were read to, so each is written once only. */
  #slab: Uint8Array = new Uint8Array(0);
  #used = 0;
  #size = SMALLEST;
  /** What is being written, and who waits for that. */
  #octets: Uint8Array | undefined;
  #done: (() => void) | undefined;
  /** Who reads wants no more for now, as it says itself, or by what it leaves waiting. */
  #held = false;
  #full = false;
  #stopped = false;
  #closing = false;
  #closed = false;

  /** `ended` is called once, when the stream is gone. */
  constructor(stream: ByteStream, ended: (error: unknown) => void) {
    this.#stream = stream;
    this.#ended = ended;
    this.duplex = new (builtin("node:stream").Duplex)({
      readableHighWaterMark: LARGEST,
      read: () => this.#flow(this.#held, false),
      write: (octets, _encoding, done) => this.#write(octets, done),
      final: (done) => {
        this.close();
        done();
      },
    });
    this.duplex.on("error", () => {});
  }

  /** Calls when there is room for more: not every runtime's TLS waits for that before it calls a write done. */
  free(call: () => void): void {
    if (this.duplex.writableNeedDrain) this.duplex.once("drain", call);
    else call();
  }

  /** Stops reading, or goes on. */
  hold(held: boolean): void {
    this.#flow(held, this.#full);
  }

  #flow(held: boolean, full: boolean): void {
    this.#held = held;
    this.#full = full;
    const stopped = (held || full) && !this.#closing;
    if (stopped === this.#stopped || this.#closed) return;
    this.#stopped = stopped;
    if (stopped) this.#stream.pause();
    else this.#stream.resume();
  }

  /** Closes the stream when what is being written has left. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#flow(false, false);
    if (this.#octets === undefined) this.#stream.close();
  }

  #write(octets: Uint8Array, done: () => void): void {
    const taken = this.#closed ? octets.length : this.#stream.write(octets);
    if (taken === octets.length) return done();
    this.#octets = octets.subarray(taken);
    this.#done = done;
  }

  // What the stream calls.

  target(): Uint8Array {
    if (this.#slab.length - this.#used < REST) {
      this.#slab = new Uint8Array(this.#size);
      this.#used = 0;
    }
    return this.#slab.subarray(this.#used);
  }

  filled(count: number): void {
    const start = this.#used;
    this.#used += count;
    if (this.#used === this.#slab.length) this.#size = Math.min(2 * this.#size, LARGEST);
    else if (count < REST) this.#size = SMALLEST;
    if (this.#closing) return;
    if (!this.duplex.push(this.#slab.subarray(start, this.#used))) this.#flow(this.#held, true);
  }

  written(count: number): void {
    const octets = this.#octets;
    if (octets === undefined) return;
    const done = this.#done!;
    this.#octets = undefined;
    if (count < octets.length) return this.#write(octets.subarray(count), done);
    if (this.#closing) this.#stream.close();
    done();
  }

  closed(error: unknown): void {
    this.#closed = true;
    this.#octets = undefined;
    if (!this.#closing) this.duplex.push(null);
    this.#ended(error);
  }
}
