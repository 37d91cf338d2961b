// A stream without a network: a test says what comes in, how much of what goes out is taken, and when it breaks. It is
// as unkind as a real one may be: what it borrows to read into is dirty, and a body that it may keep must stay as it is.

import { fail } from "@std/assert";
import type { HostPort } from "../../src/endpoint.ts";
import type { ByteSink, ByteStream } from "../../src/link/stream.ts";
import { concat, sameOctets } from "./octets.ts";

/** How a fake stream behaves from its start. */
export interface FakeStreamOptions {
  /** How many octets it takes before it is full; no limit if not given. */
  readonly room?: number;
  /** The most that one write takes at once. */
  readonly gulp?: number;
  /** Takes nothing within `write`, as Deno does: everything by `written` later. */
  readonly late?: boolean;
  readonly local?: HostPort;
  readonly remote?: HostPort;
}

/** A stream whose other end is the test. */
export class FakeStream implements ByteStream {
  readonly local: HostPort;
  readonly remote: HostPort;
  /** What was called, in order, without the writes. */
  readonly calls: string[] = [];
  /** The octets of each write as far as they were taken in it; one entry for each call. */
  readonly writes: Uint8Array[] = [];
  sink: ByteSink | undefined;
  paused = false;
  over = false;
  #room: number;
  readonly #gulp: number;
  readonly #late: boolean;
  /** The rest of a write of which not everything is taken, and a copy of what that was. */
  #pending: { octets: Uint8Array; copy: Uint8Array } | undefined;
  #taken: Uint8Array[] = [];
  #count = 0;

  constructor(options: FakeStreamOptions = {}) {
    this.#room = options.room ?? Infinity;
    this.#gulp = options.gulp ?? Infinity;
    this.#late = options.late ?? false;
    this.local = options.local ?? { host: "127.0.0.1", port: 40_000 };
    this.remote = options.remote ?? { host: "127.0.0.1", port: 5_555 };
  }

  /** Everything that was taken since the last call. */
  takeOutput(): Uint8Array {
    const all = concat(...this.#taken);
    this.#taken = [];
    return all;
  }

  /** True while a write is not finished. */
  get busy(): boolean {
    return this.#pending !== undefined;
  }

  // ByteStream

  start(sink: ByteSink): void {
    this.calls.push("start");
    this.sink = sink;
  }

  write(octets: Uint8Array): number {
    if (this.#pending !== undefined) fail("write was called while a write was under way");
    if (octets.length === 0) fail("write was called with nothing");
    const taken = this.#late ? 0 : this.#take(octets);
    this.writes.push(octets.slice());
    if (taken < octets.length) {
      const copy = octets.slice(taken);
      // What is only a part of its buffer is lent for the call.
      const whole = octets.length === octets.buffer.byteLength;
      this.#pending = { octets: whole ? octets.subarray(taken) : copy, copy };
    }
    return taken;
  }

  pause(): void {
    this.calls.push("pause");
    this.paused = true;
  }

  resume(): void {
    this.calls.push("resume");
    this.paused = false;
  }

  close(): void {
    this.calls.push("close");
  }

  abort(): void {
    this.calls.push("abort");
  }

  // The other end

  /** The peer sends octets; they come in reads of at most `size`. */
  deliver(octets: Uint8Array, size: number = Infinity): void {
    for (let at = 0; at < octets.length && !this.over;) {
      const target = this.sink!.target();
      if (target.length === 0) fail("target is empty");
      target.subarray(0, 4_096).fill(0xee);
      const piece = octets.subarray(at, at + Math.min(target.length, size));
      target.set(piece);
      at += piece.length;
      this.sink!.filled(piece.length);
    }
  }

  /** The peer reads: a write under way goes on, up to `room` octets more. */
  drain(room: number = Infinity): void {
    this.#room += room;
    const pending = this.#pending;
    if (pending === undefined) return;
    this.checkBorrowed();
    this.#pending = undefined;
    this.sink!.written(this.#take(pending.octets));
  }

  /** Lets what is written go on for as long as there is room. */
  flow(): void {
    for (let before = -1; this.busy && before !== this.#count;) {
      before = this.#count;
      this.drain(0);
    }
  }

  /** Fails when octets that a write under way may use were touched. */
  checkBorrowed(): void {
    if (this.#pending === undefined) return;
    const { octets, copy } = this.#pending;
    if (!sameOctets(octets, copy)) fail("octets that a write borrows were changed");
  }

  /** The stream is gone. */
  end(error?: unknown): void {
    this.over = true;
    this.#pending = undefined;
    this.sink!.closed(error);
  }

  #take(octets: Uint8Array): number {
    const taken = Math.min(octets.length, this.#room, this.#gulp);
    this.#room -= taken;
    this.#count += taken;
    this.#taken.push(octets.slice(0, taken));
    return taken;
  }
}
