// A connection in memory, and all that can happen to one: octets are taken and delivered in pieces, late, against
// back-pressure, and it may break after any of them. What a write took always reaches the other end before it hears of the
// break, and nothing else does: so it is known what the peer has got.

import { fail } from "@std/assert";
import type { StreamAddress } from "../../src/endpoint.ts";
import type { ByteSink, ByteStream } from "../../src/link/stream.ts";
import type { ConnectionFaults, LineFaults } from "./faulty_faults.ts";
import type { Random } from "./faulty_random.ts";
import { sameOctets } from "./octets.ts";
import { systemError } from "./scripted_runtime.ts";

/** Most moves of one step: a step for each octet would take for ever. */
const MOVES = 64;
/** Most octets of a write that are kept to be taken later; they have to stay as they are meanwhile. */
const OFFER = 4_096;
/** So many octets more than come are made dirty. */
const DIRT = 64;

/** Does things later, in an order of its own. */
export interface Agenda {
  later(task: () => void): void;
}

/** One end of a wire. */
export class WireEnd implements ByteStream {
  readonly local: StreamAddress;
  readonly remote: StreamAddress;
  readonly #wire: Wire;
  sink: ByteSink | undefined;
  /** What it sends by, and what comes to it. */
  outgoing!: Line;
  incoming!: Line;
  paused = false;
  /** It takes nothing any more; the other end is still to close. */
  closing = false;
  /** Its sink has heard of the end, or would have. */
  over = false;
  #error: unknown;

  constructor(wire: Wire, local: StreamAddress, remote: StreamAddress) {
    this.#wire = wire;
    this.local = local;
    this.remote = remote;
  }

  start(sink: ByteSink): void {
    this.sink = sink;
    if (this.over) return this.#wire.agenda.later(() => sink.closed(this.#error));
    this.#wire.wake();
    this.#wire.settleLater();
  }

  write(octets: Uint8Array): number {
    return this.over || this.closing ? 0 : this.outgoing.write(octets);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#wire.wake();
  }

  close(): void {
    if (this.over || this.closing) return;
    this.closing = true;
    this.incoming.drop();
    this.outgoing.withdraw();
    this.#wire.settleLater();
  }

  abort(): void {
    if (this.over) return;
    this.closing = true;
    this.incoming.drop();
    this.outgoing.withdraw();
    this.#wire.agenda.later(() => {
      this.end(undefined);
      this.#wire.cut();
      // It may have been broken before.
      this.#wire.settle();
    });
  }

  /** The stream is gone. */
  end(error: unknown): void {
    if (this.over) return;
    this.over = true;
    this.#error = error;
    this.incoming.drop();
    this.outgoing.withdraw();
    this.sink?.closed(error);
  }
}

/** One direction. */
export class Line {
  readonly #wire: Wire;
  readonly #faults: LineFaults;
  readonly #random: Random;
  readonly #from: WireEnd;
  readonly #to: WireEnd;
  #chunks: Uint8Array[] = [];
  #under = 0;
  /** Octets that were taken since it was opened. */
  taken = 0;
  /** The rest of a write that was not taken in full, and a copy of it. */
  #offer: { octets: Uint8Array; copy: Uint8Array } | undefined;
  /** Where the next octets go, if that was asked for ahead, as a read that waits does. */
  #target: Uint8Array | undefined;
  #scheduled = false;

  constructor(wire: Wire, from: WireEnd, to: WireEnd, faults: LineFaults, random: Random) {
    this.#wire = wire;
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    this.#random = random;
  }

  /** True when nothing is under way. */
  get empty(): boolean {
    return this.#under === 0;
  }

  /** It breaks before anything is taken. */
  get cutFirst(): boolean {
    return this.#faults.cutAt === 0;
  }

  write(octets: Uint8Array): number {
    if (this.#offer !== undefined) fail("write was called while a write was under way");
    if (octets.length === 0) fail("write was called with nothing");
    const taken = this.#random.chance(this.#faults.late) ? 0 : this.#take(octets);
    if (taken < octets.length) {
      // No more is taken before the rest is offered again.
      const rest = octets.subarray(taken, taken + OFFER);
      const copy = rest.slice();
      // What is only a part of its buffer is lent for the call.
      const whole = octets.length === octets.buffer.byteLength;
      this.#offer = { octets: whole ? rest : copy, copy };
    }
    this.wake();
    return taken;
  }

  /** What was not taken never will be. */
  withdraw(): void {
    this.#offer = undefined;
  }

  /** What is under way is lost. */
  drop(): void {
    this.#chunks = [];
    this.#under = 0;
    this.#target = undefined;
  }

  wake(): void {
    if (this.#scheduled || !this.#busy) return;
    this.#scheduled = true;
    this.#wire.agenda.later(this.#step);
  }

  get #takes(): boolean {
    return this.#offer !== undefined && !this.#wire.broken && this.#from.sink !== undefined &&
      2 * this.#under <= this.#faults.room;
  }

  get #delivers(): boolean {
    // What is under way when the connection breaks comes all the same.
    return this.#under > 0 && this.#to.sink !== undefined &&
      (!this.#to.paused || this.#wire.broken || this.#from.closing);
  }

  get #busy(): boolean {
    return this.#takes || this.#delivers;
  }

  #step = (): void => {
    this.#scheduled = false;
    if (!this.#random.chance(this.#faults.lag)) this.#move();
    this.wake();
    this.#wire.settle();
  };

  #move(): void {
    for (let left = this.#random.between(1, MOVES); left > 0 && this.#busy; left--) {
      if (this.#takes && (!this.#delivers || this.#random.chance(0.5))) this.#goOn();
      else this.#deliver();
    }
  }

  /** Takes more of a write that was not taken in full; now and then it only says that there is room. */
  #goOn(): void {
    const { octets, copy } = this.#offer!;
    if (!sameOctets(octets, copy)) fail("octets that a write borrows were changed");
    this.#offer = undefined;
    const taken = this.#random.chance(0.1) ? 0 : this.#take(octets);
    this.#from.sink!.written(taken);
  }

  #take(octets: Uint8Array): number {
    const { gulp, room, cutAt } = this.#faults;
    const most = Math.min(octets.length, gulp, room - this.#under, cutAt - this.taken);
    if (most <= 0 || this.#wire.broken) return 0;
    const size = this.#random.chance(0.3) ? most : this.#random.between(1, most);
    this.taken += size;
    // An end that closes takes what still comes for nobody.
    if (!this.#to.closing && !this.#to.over) {
      this.#chunks.push(octets.slice(0, size));
      this.#under += size;
    }
    if (this.taken >= cutAt) this.#wire.cut();
    return size;
  }

  #deliver(): void {
    const sink = this.#to.sink!;
    const target = this.#target ?? sink.target();
    this.#target = undefined;
    if (target.length === 0) fail("target is empty");
    const [chunk] = this.#chunks;
    const most = Math.min(chunk.length, target.length, this.#faults.sip);
    const size = this.#random.chance(0.3) ? most : this.#random.between(1, most);
    // A view of its own: those of a frame are slow to make.
    const view = new Uint8Array(target.buffer, target.byteOffset, target.length);
    view.fill(0xee, 0, size + DIRT);
    view.set(chunk.subarray(0, size));
    if (size < chunk.length) this.#chunks[0] = chunk.subarray(size);
    else this.#chunks.shift();
    this.#under -= size;
    sink.filled(size);
    // A read that waits has its memory already.
    if (!this.#to.over && !this.#to.closing && this.#random.chance(0.5)) {
      this.#target = sink.target();
    }
  }
}

/** Both ends and both directions. */
export class Wire {
  readonly agenda: Agenda;
  readonly #faults: ConnectionFaults;
  readonly dialer: WireEnd;
  readonly listener: WireEnd;
  readonly #code: string;
  /** Nothing is taken any more. */
  broken = false;
  /** It broke by itself. */
  #torn = false;

  constructor(
    agenda: Agenda,
    at: StreamAddress,
    from: StreamAddress,
    faults: ConnectionFaults,
    random: Random,
  ) {
    this.agenda = agenda;
    this.#faults = faults;
    this.#code = random.of(["ECONNRESET", "EPIPE", "ETIMEDOUT"]);
    this.dialer = new WireEnd(this, from, at);
    this.listener = new WireEnd(this, at, from);
    const { dialer, listener } = this;
    const up = new Line(this, dialer, listener, faults.toListener, random.fork());
    const down = new Line(this, listener, dialer, faults.toDialer, random.fork());
    dialer.outgoing = listener.incoming = up;
    dialer.incoming = listener.outgoing = down;
    if (up.cutFirst || down.cutFirst) this.cut();
  }

  /** The connection breaks: each end hears of it when what is under way to it has come. */
  cut(): void {
    if (this.broken) return;
    this.broken = true;
    this.#torn = true;
    this.wake();
    this.settleLater();
  }

  wake(): void {
    this.dialer.outgoing.wake();
    this.listener.outgoing.wake();
  }

  settleLater(): void {
    this.agenda.later(() => this.settle());
  }

  /** Tells the ends that it is over, as far as that is so. */
  settle(): void {
    const ends = this.#faults.dialerFirst
      ? [this.dialer, this.listener]
      : [this.listener, this.dialer];
    if (this.#torn) {
      for (const end of ends) {
        if (end.over) continue;
        if (!end.incoming.empty) return;
        end.end(systemError(this.#code));
      }
      return;
    }
    for (const end of ends) {
      const other = end === this.dialer ? this.listener : this.dialer;
      if (!end.closing || !end.outgoing.empty || end.over) continue;
      // The other end has got everything; it closes, and so both have.
      other.end(undefined);
      end.end(undefined);
    }
  }
}
