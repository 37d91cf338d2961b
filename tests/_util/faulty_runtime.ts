// The runtime of the test with faults that change nothing but time: pieces of any size, short writes, reads down to one
// octet, delays and back-pressure. Whatever runs over it must come to the same as without them.

import type { StreamAddress } from "../../src/endpoint.ts";
import type { Accepted, ByteSink, ByteStream, Listener, Runtime } from "../../src/link/stream.ts";
import type { Random } from "./faulty_random.ts";

/** Most octets that are kept between a link and the real stream: more would be a buffer that nobody knows of. */
const KEPT = 4_096;
/** Room of a read. */
const ROOM = 64 * 1024;
/** The most pieces of what there is to move: a turn for each octet would take for ever. */
const PIECES = 40;
const FINE_PIECES = 500;
/** The longest delay in milliseconds. */
const DELAY = 3;
const DELAYS = 100;

const turn = (globalThis as unknown as { setImmediate(call: () => void): void }).setImmediate;

/** A stream over a real one. */
class FaultyStream implements ByteStream, ByteSink {
  readonly local: StreamAddress;
  readonly remote: StreamAddress;
  readonly #real: ByteStream;
  readonly #random: Random;
  /** So many pieces at first are of a few octets. */
  #finePieces: number;
  /** So many delays at most: a test may take no more than its time. */
  #delays = DELAYS;
  #sink: ByteSink | undefined;
  /** What was read and is not passed on yet. */
  #held: Uint8Array = new Uint8Array(0);
  readonly #memory: Uint8Array = new Uint8Array(ROOM);
  #passing = false;
  #paused = false;
  /** What is being written. */
  #out: Uint8Array | undefined;
  /** The sink is to hear how much of it was taken, which is so much so far; else it counts as taken already. */
  #owing = false;
  #owed = 0;
  /** What the sink offers beyond that. */
  #offer: Uint8Array | undefined;
  #closing = false;
  #aborted = false;
  #gone: { readonly error: unknown } | undefined;
  #told = false;

  constructor(real: ByteStream, random: Random) {
    this.#real = real;
    this.#random = random;
    this.#finePieces = random.chance(0.5) ? FINE_PIECES : 0;
    this.local = real.local;
    this.remote = real.remote;
  }

  // ByteStream

  start(sink: ByteSink): void {
    this.#sink = sink;
    this.#real.start(this);
  }

  write(octets: Uint8Array): number {
    if (this.#out !== undefined || this.#random.chance(0.5)) {
      this.#keepOffer(octets);
      if (this.#out === undefined) this.#later(this.#goOn);
      return 0;
    }
    const taken = this.#piece(Math.min(octets.length, KEPT));
    if (taken < octets.length) this.#keepOffer(octets.subarray(taken));
    this.#out = octets.slice(0, taken);
    this.#push();
    return taken;
  }

  pause(): void {
    this.#paused = true;
    this.#real.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#held.length > 0) this.#pass();
    else this.#real.resume();
    this.#tell();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#offer = undefined;
    if (this.#out === undefined) this.#real.close();
    this.#tell();
  }

  abort(): void {
    this.#closing = true;
    this.#aborted = true;
    this.#offer = undefined;
    this.#real.abort();
  }

  // The real stream's sink

  target(): Uint8Array {
    return this.#memory;
  }

  filled(count: number): void {
    if (this.#closing) return;
    // The memory may be a read's that began before the last one was passed on.
    const held = new Uint8Array(this.#held.length + count);
    held.set(this.#held);
    held.set(this.#memory.subarray(0, count), this.#held.length);
    this.#held = held;
    this.#real.pause();
    this.#pass();
  }

  written(count: number): void {
    if (this.#out === undefined) return;
    this.#out = this.#out.subarray(count);
    this.#owed += count;
    // A part of what is owed is reported; the rest of what is kept goes on.
    if (this.#owing || this.#out.length === 0) this.#handedOver();
    else this.#push();
  }

  closed(error: unknown): void {
    this.#gone = { error };
    this.#out = undefined;
    this.#offer = undefined;
    this.#tell();
  }

  // Reading

  #pass(): void {
    if (this.#passing) return;
    this.#passing = true;
    this.#later(() => {
      this.#passing = false;
      for (let left = this.#random.between(1, 3); left > 0 && this.#passes; left--) {
        const target = this.#sink!.target();
        const size = this.#piece(Math.min(this.#held.length, target.length));
        target.set(this.#held.subarray(0, size));
        this.#held = this.#held.subarray(size);
        this.#sink!.filled(size);
      }
      if (this.#passes) this.#pass();
      else if (!this.#paused && !this.#closing) this.#real.resume();
      this.#tell();
    });
  }

  get #passes(): boolean {
    return this.#held.length > 0 && !this.#paused && !this.#closing;
  }

  /** The end is told when everything before it was passed on. */
  #tell(): void {
    if (this.#gone === undefined || this.#told || this.#sink === undefined) return;
    if (this.#held.length > 0 && !this.#closing) return;
    this.#told = true;
    const { error } = this.#gone;
    this.#later(() => this.#sink!.closed(error));
  }

  // Writing

  /** What is only a part of its buffer is lent for the call. */
  #keepOffer(octets: Uint8Array): void {
    const whole = octets.length === octets.buffer.byteLength;
    this.#offer = whole ? octets : octets.slice();
  }

  /** Takes some of what is offered. */
  #goOn = (): void => {
    const offer = this.#offer;
    if (offer === undefined || this.#out !== undefined || this.#gone !== undefined) return;
    if (this.#random.chance(0.1)) {
      this.#offer = undefined;
      this.#sink!.written(0);
      return;
    }
    const size = this.#piece(offer.length);
    this.#owing = true;
    // A whole body, which may be kept, is passed on as it is.
    this.#out = size === offer.length ? offer : offer.slice(0, size);
    this.#push();
  };

  #push(): void {
    const out = this.#out!;
    const taken = this.#real.write(out);
    this.#out = out.subarray(taken);
    if (this.#owing) this.#owed = taken;
    // Else the real stream reports when it has taken more.
    if (taken === out.length) this.#handedOver();
  }

  /** The sink hears at once: what has left and is not known to have left would be sent again when the connection ends. */
  #handedOver(): void {
    this.#out = undefined;
    const owing = this.#owing;
    this.#owing = false;
    if (this.#closing) {
      if (!this.#aborted) this.#real.close();
    } else if (owing) {
      this.#offer = undefined;
      this.#sink!.written(this.#owed);
    } else if (this.#offer !== undefined) {
      this.#later(this.#goOn);
    }
  }

  // Chance

  #piece(most: number): number {
    if (this.#random.chance(0.3)) return most;
    const least = Math.ceil(most / PIECES);
    return this.#random.between(least, this.#finePieces-- > 0 ? Math.min(least + 7, most) : most);
  }

  #later(call: () => void): void {
    if (this.#delays > 0 && this.#random.chance(0.1)) {
      this.#delays--;
      setTimeout(call, this.#random.between(0, DELAY));
    } else turn(call);
  }
}

/** The real runtime with faults; `random` answers the source for the next connection or listener. */
export function faultyRuntime(real: Runtime, random: () => Random): Runtime {
  // In their order: the first to be accepted is the first to be served.
  const delayed = (accepted: Accepted): Accepted => {
    const chance = random();
    let last = Promise.resolve();
    return (stream) => {
      const faulty = new FaultyStream(stream, random());
      const delay = chance.between(0, 3);
      last = last.then(() => turns(delay)).then(() => accepted(faulty));
    };
  };
  const changes: { -readonly [K in keyof Runtime]?: Runtime[K] } = {
    listen: (at, options, accepted, failed): Promise<Listener> =>
      real.listen(at, options, delayed(accepted), failed),
    async connect(to: StreamAddress, source, options, signal) {
      const chance = random();
      await turns(chance.between(0, 3));
      const stream = await real.connect(to, source, options, signal);
      await turns(chance.between(0, 3));
      if (!signal.aborted) return new FaultyStream(stream, chance);
      stream.abort();
      throw signal.reason;
    },
    async resolve(host) {
      await turns(random().between(0, 3));
      return await real.resolve!(host);
    },
  };
  if (real.listenSync !== undefined) {
    changes.listenSync = (at, options, accepted, failed) =>
      real.listenSync!(at, options, delayed(accepted), failed);
  }
  // Its getters stay getters.
  return Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(real), ...Object.getOwnPropertyDescriptors(changes) },
  ) as unknown as Runtime;
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>(turn);
}
