// An outbox of the core and the bodies it holds by reference. The run in flight belongs to whoever took it until it is
// released (handed over in full) or rewound (the connection broke).

import {
  BOX_BYTES,
  BOX_DROPPED,
  BOX_HEAD,
  BOX_REFERENCES,
  BOX_RING,
  BOX_WAITING,
  FLAG_COMMAND,
  FLAG_MORE,
  FLAG_REFERENCE,
  LONG_HEADER,
  RESULTS,
  SCRATCH,
  SCRATCH_SIZE,
  TAKE_ADDRESS,
  TAKE_MIDDLE,
  TAKE_REFERENCE,
  TAKE_SIZE,
} from "../../wasm/layout.ts";
import { type Outgoing, type Part, toBytes } from "../message.ts";
import { concat } from "../octets.ts";
import { bodiesOf, messageEnd, Span } from "../span.ts";
import type { Core } from "./instance.ts";

/** What a link writes: the run in flight, or what is made of it. */
export interface Flight {
  /** True while a run is in flight. */
  readonly inFlight: boolean;
  /** Puts whole messages of about `limit` octets in flight; false when nothing waits. */
  take(limit: number): boolean;
  /** The next octets of the run in flight; valid until the outbox is used again. */
  next(): Uint8Array;
  /** `count` octets were handed over. */
  advance(count: number): void;
  /** The connection broke: messages of the flight that did not leave whole wait again. */
  rewind(): void;
  /** Gives memory back step by step while idle; true while there is more to give. */
  trim(): boolean;
}

/** A part of the run in flight, for who makes something else of it. */
export interface FlightPart {
  /** Octets of the ring; of a body by reference, its header. */
  readonly size: number;
  /** The body by reference. */
  readonly body: Uint8Array | undefined;
}

/** A body of this many octets or more is kept by reference: its memory is the user's own until it leaves. */
const REFERENCE_SIZE = 32 * 1024;
/** A body of this many octets or more is written by itself; below, parts are gathered into one write. */
const DIRECT_SIZE = 128 * 1024;
/** Room for what is gathered: a batch and one more part. */
const STAGING_SIZE = 512 * 1024;
/** Up to this length a loop copies faster than `set`. */
const LOOP_SIZE = 32;

const RESULT_WORD = RESULTS >> 2;
const encoder = new TextEncoder();
const EMPTY = new Uint8Array(0);

export class Outbox implements Flight {
  readonly #core: Core;
  /** Its address in the core. */
  readonly box: number;
  readonly #word: number;
  readonly byReference = false;
  /** Octets, and whole messages, that were handed over since it was made. */
  sent = 0;
  messagesSent = 0;
  /** Messages of the run in flight. */
  #flying = 0;
  /** Bodies by reference, in the order of their frames; the first `#taken` belong to the run in flight. */
  #bodies: Uint8Array[] = [];
  #taken = 0;
  /** The run in flight: one span of the ring, or a list of parts. */
  #size = 0;
  #written = 0;
  #parts: Uint8Array[] | undefined;
  /** The run ends in the middle of a message: it is not done before the rest was taken. */
  #middle = false;
  /** Where short parts are gathered; kept while there is traffic. */
  #staging: Uint8Array | undefined;

  constructor(core: Core) {
    this.#core = core;
    this.box = core.exports.outboxNew() >>> 0;
    if (this.box === 0) throw new RangeError("Cannot open an outbox: the core's memory is full");
    if (core.bytes.length === 0) core.refresh();
    this.#word = this.box >>> 2;
  }

  /** Whole messages that wait; the run in flight is not among them. */
  get waiting(): number {
    return this.#core.words[this.#word + BOX_WAITING];
  }

  /** Octets of the messages that wait. */
  get bytes(): number {
    return this.#core.floats[(this.#word + BOX_BYTES) >>> 1];
  }

  get taken(): number {
    return this.sent;
  }

  /** True while a run is in flight. */
  get inFlight(): boolean {
    return this.#size !== 0;
  }

  /** True when nothing waits and nothing is in flight. */
  get empty(): boolean {
    return this.#size === 0 && this.waiting === 0;
  }

  /** Whole messages that have not left, or not in full. */
  get unsent(): number {
    return this.waiting + this.#flying;
  }

  /** As `waiting`: what a peer could have read is not here any more. */
  get owed(): boolean {
    return this.waiting > 0;
  }

  /** Messages that were dropped because it was full. */
  get dropped(): number {
    return this.#core.floats[(this.#word + BOX_DROPPED) >>> 1];
  }

  /** Counts a message that was dropped. */
  drop(): void {
    this.#core.floats[(this.#word + BOX_DROPPED) >>> 1]++;
  }

  /** Appends a message: all of it, or nothing and `false` when there is no memory. */
  append(message: Outgoing): boolean {
    if (!Array.isArray(message)) {
      return message instanceof Span ? this.#appendSpan(message) : this.#push(message, 0);
    }
    const last = message.length - 1;
    const bodies = this.#bodies.length;
    for (let i = 0; i <= last; i++) {
      if (this.#push(message[i], i === last ? 0 : FLAG_MORE)) continue;
      this.#bodies.length = bodies;
      return false;
    }
    return true;
  }

  /** Appends a command, which is the connection's own: `drain` leaves it out. */
  appendCommand(body: Uint8Array): boolean {
    const at = this.#reserve(body.length, FLAG_COMMAND);
    if (at !== 0) this.#core.bytes.set(body, at);
    return at !== 0;
  }

  #appendSpan(span: Span): boolean {
    const { slab, start, end } = span;
    if (end - start >= REFERENCE_SIZE) return this.append(bodiesOf(span));
    const core = this.#core;
    const at = core.exports.outboxPushMessage(this.box, end - start) >>> 0;
    if (core.bytes.length === 0) core.refresh();
    if (at === 0) return false;
    copy(slab, start, end, core.bytes, at);
    return true;
  }

  /** Drops what waits; the run in flight stays, and the rest of a message that it has begun. */
  clear(): void {
    const { exports, words } = this.#core;
    exports.outboxClear(this.box, this.#middle ? 1 : 0);
    this.#bodies.length = this.#taken + words[this.#word + BOX_REFERENCES];
  }

  /** The bodies held by reference, in the order of their frames. */
  get bodies(): readonly Uint8Array[] {
    return this.#bodies;
  }

  /** True when the first frame that waits is held by reference. */
  get referenceFirst(): boolean {
    return (this.#core.bytes[this.flightAddress] & FLAG_REFERENCE) !== 0;
  }

  /** The core appended a message whose long bodies are these. */
  share(bodies: readonly Uint8Array[]): void {
    for (const body of bodies) this.#bodies.push(body);
  }

  #push(part: Part, more: number): boolean {
    if (typeof part === "string") return this.#pushText(part, more);
    const size = part.length;
    if (size >= REFERENCE_SIZE) return this.#pushReference(part, more);
    const at = this.#reserve(size, more);
    if (at === 0) return false;
    const { bytes } = this.#core;
    if (size <= LOOP_SIZE) {
      for (let i = 0; i < size; i++) bytes[at + i] = part[i];
    } else {
      bytes.set(part, at);
    }
    return true;
  }

  /** The address for the body of a new frame; 0 when there is no memory. */
  #reserve(size: number, flags: number): number {
    const core = this.#core;
    const at = core.exports.outboxPush(this.box, size, flags) >>> 0;
    if (core.bytes.length === 0) core.refresh();
    return at;
  }

  #pushText(text: string, more: number): boolean {
    const core = this.#core;
    const { length } = text;
    if (length <= LOOP_SIZE && isAscii(text)) {
      const at = this.#reserve(length, more);
      if (at === 0) return false;
      const { bytes } = core;
      for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
      return true;
    }
    if (length * 3 > SCRATCH_SIZE) return this.#push(toBytes(text), more);
    const { written } = encoder.encodeInto(text, core.scratch);
    const at = this.#reserve(written, more);
    if (at === 0) return false;
    core.bytes.copyWithin(at, SCRATCH, SCRATCH + written);
    return true;
  }

  #pushReference(body: Uint8Array, more: number): boolean {
    const core = this.#core;
    const done = core.exports.outboxPushReference(this.box, body.length, more);
    if (core.bytes.length === 0) core.refresh();
    if (done === 0) return false;
    this.#bodies.push(body);
    return true;
  }

  /** Puts whole messages of about `limit` octets in flight; false when nothing waits. */
  take(limit: number): boolean {
    const core = this.#core;
    const before = this.waiting;
    if (core.words[this.#word + BOX_REFERENCES] === 0) {
      if (core.exports.outboxTake(this.box, limit) === 0) return false;
      this.#size = core.words[RESULT_WORD + TAKE_SIZE];
    } else {
      this.#parts = this.#gather(limit);
      this.#size = this.#parts.reduce((sum, part) => sum + part.length, 0);
    }
    this.#flying = before - this.waiting;
    this.#written = 0;
    return this.#size !== 0;
  }

  /**
   * Adds to the run in flight what comes next in one piece: about `limit` octets of the ring, or one body by reference.
   * Undefined when nothing waits.
   */
  takePart(limit: number): FlightPart | undefined {
    const { exports, words } = this.#core;
    const before = this.waiting;
    if (exports.outboxTake(this.box, limit) === 0) return undefined;
    this.#flying += before - this.waiting;
    this.#middle = words[RESULT_WORD + TAKE_MIDDLE] === 1;
    const size = words[RESULT_WORD + TAKE_SIZE];
    if (words[RESULT_WORD + TAKE_REFERENCE] === 0) {
      this.#size += size;
      return { size, body: undefined };
    }
    this.#size += LONG_HEADER + size;
    return { size: LONG_HEADER, body: this.#bodies[this.#taken++] };
  }

  /** Where the run in flight begins in the core; it may be elsewhere after the next call. */
  get flightAddress(): number {
    const { words } = this.#core;
    return words[this.#word + BOX_RING] + words[this.#word + BOX_HEAD];
  }

  /** Takes run by run, and gathers what is short into parts worth a write. */
  #gather(limit: number): Uint8Array[] {
    const gathering = new Gathering(this.#staging ??= new Uint8Array(STAGING_SIZE));
    const { exports, words, bytes } = this.#core;
    let middle = false;
    while (gathering.size < limit || middle) {
      if (exports.outboxTake(this.box, Math.max(limit - gathering.size, 0)) === 0) break;
      const address = words[RESULT_WORD + TAKE_ADDRESS];
      middle = words[RESULT_WORD + TAKE_MIDDLE] === 1;
      if (words[RESULT_WORD + TAKE_REFERENCE] === 0) {
        gathering.add(bytes.subarray(address, address + words[RESULT_WORD + TAKE_SIZE]), false);
      } else {
        const header = bytes.slice(address, address + LONG_HEADER);
        header[0] &= ~FLAG_REFERENCE;
        gathering.add(header, false);
        gathering.add(this.#bodies[this.#taken++], true);
      }
    }
    return gathering.finish();
  }

  /** The next octets of the run in flight; valid until the outbox is used again. */
  next(): Uint8Array {
    if (this.#parts === undefined) {
      // The ring may have grown, and moved, since the run was taken.
      const start = this.flightAddress;
      return this.#core.bytes.subarray(start + this.#written, start + this.#size);
    }
    let offset = this.#written;
    for (const part of this.#parts) {
      if (offset < part.length) return offset === 0 ? part : part.subarray(offset);
      offset -= part.length;
    }
    return EMPTY;
  }

  /** `count` octets were handed over; true when the run in flight is done and released. */
  advance(count: number): boolean {
    this.#written += count;
    this.sent += count;
    if (this.#written < this.#size || this.#middle) return false;
    this.#core.exports.outboxRelease(this.box);
    this.messagesSent += this.#flying;
    this.#land(this.#taken);
    return true;
  }

  /** The connection broke: messages of the flight that did not leave whole wait again, first frame first. */
  rewind(): void {
    if (this.#size === 0) return;
    const before = this.waiting;
    const released = this.#core.exports.outboxRewind(this.box, this.#written);
    this.messagesSent += this.#flying - (this.waiting - before);
    this.#land(released);
  }

  #land(released: number): void {
    if (released > 0) this.#bodies.splice(0, released);
    this.#taken = 0;
    this.#flying = 0;
    this.#size = 0;
    this.#written = 0;
    this.#parts = undefined;
    this.#middle = false;
  }

  /** Gives memory back step by step while idle; true while there is more to give. */
  trim(): boolean {
    if (this.#size === 0) this.#staging = undefined;
    const more = this.#core.exports.outboxTrim(this.box) !== 0;
    if (this.#core.bytes.length === 0) this.#core.refresh();
    return more;
  }

  /** Takes every message out, as frames of their own memory. Not while a run is in flight. */
  drain(): Uint8Array[][] {
    const messages: Uint8Array[][] = [];
    const { sent, messagesSent } = this;
    while (this.waiting > 0 && this.take(STAGING_SIZE)) {
      split(concat(this.#parts ?? [this.next()]), messages);
      this.advance(this.#size);
    }
    // They did not leave.
    this.sent = sent;
    this.messagesSent = messagesSent;
    return messages;
  }

  /** Gives the memory back. The outbox cannot be used any more. */
  free(): void {
    this.#core.exports.outboxFree(this.box);
    this.#bodies = [];
  }
}

function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > LOOP_SIZE) to.set(from.subarray(start, end), at);
  else for (let i = start; i < end; i++) to[at++] = from[i];
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** Parts of a batch: short pieces are copied together, long ones stay as they are. */
class Gathering {
  readonly #staging: Uint8Array;
  readonly #parts: Uint8Array[] = [];
  #start = 0;
  #end = 0;
  /** Octets so far. */
  size = 0;

  constructor(staging: Uint8Array) {
    this.#staging = staging;
  }

  /** Adds a piece; `own` when its memory stays as it is until the batch is written. */
  add(piece: Uint8Array, own: boolean): void {
    this.size += piece.length;
    if (piece.length < DIRECT_SIZE && this.#end + piece.length <= this.#staging.length) {
      this.#staging.set(piece, this.#end);
      this.#end += piece.length;
      return;
    }
    this.#cut();
    this.#parts.push(own ? piece : piece.slice());
  }

  #cut(): void {
    if (this.#end > this.#start) this.#parts.push(this.#staging.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  finish(): Uint8Array[] {
    this.#cut();
    return this.#parts;
  }
}

/** Adds the messages in whole frames of wire octets, as frames of their own memory; commands are left out. */
function split(wire: Uint8Array, messages: Uint8Array[][]): void {
  for (let at = 0; at < wire.length;) {
    const end = messageEnd(wire, at);
    if ((wire[at] & FLAG_COMMAND) === 0) {
      messages.push(bodiesOf(new Span(wire.slice(at, end), 0, end - at)));
    }
    at = end;
  }
}
