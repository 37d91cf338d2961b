// What a CURVE connection writes: the messages of an outbox, sealed. A piece of the run in flight is sealed when it is about
// to be written, and what was sealed counts as written when all of the piece has left: until then its messages are still
// in the outbox, for another connection.

import { CURVE_NEXT, CURVE_OVERHEAD, LONG_HEADER, RESULTS } from "../../wasm/layout.ts";
import { uncleared } from "../message.ts";
import { type CurveKeys, exhausted } from "./curve_keys.ts";
import type { Core } from "./instance.ts";
import type { Flight, Outbox } from "./outbox.ts";

/** Most octets of short frames that are sealed for one write, and room for them. */
const PIECE_LIMIT = 128 * 1024;
const MOST_ROOM = 256 * 1024;
const LEAST_ROOM = 4096;
/** What a sealed frame has more than its body: a long header, and what CURVE adds. */
const FRAME_COST = LONG_HEADER + CURVE_OVERHEAD;
/** A long body goes through the core in pieces: the first begins behind the 32 octets of a key, the others on a block. */
const PASS_SIZE = 16 * 1024;
const FIRST_PASS = PASS_SIZE - 32;

const RESULT_WORD = RESULTS >> 2;

export class SealedFlight implements Flight {
  readonly #core: Core;
  readonly #outbox: Outbox;
  readonly #keys: CurveKeys;
  /** Where frames are sealed; kept while there is traffic. */
  #room = 0;
  #roomSize = 0;
  /** What was sealed: octets in the room, or of a body too long for it. */
  #size = 0;
  #long: Uint8Array | undefined;
  /** How many of these have left, and how many octets of the run in flight they stand for. */
  #sent = 0;
  #plain = 0;
  /** In the ring, from the start of the flight: where the part begins whose turn it is, where its unsealed rest, its end. */
  #start = 0;
  #offset = 0;
  #end = 0;
  #body: Uint8Array | undefined;

  constructor(core: Core, outbox: Outbox, keys: CurveKeys) {
    this.#core = core;
    this.#outbox = outbox;
    this.#keys = keys;
  }

  get inFlight(): boolean {
    return this.#outbox.inFlight;
  }

  take(limit: number): boolean {
    this.#offset = 0;
    this.#end = 0;
    return this.#take(Math.min(limit, PIECE_LIMIT));
  }

  #take(limit: number): boolean {
    const part = this.#outbox.takePart(limit);
    if (part === undefined) return false;
    this.#end += part.size;
    this.#body = part.body;
    return true;
  }

  next(): Uint8Array {
    if (this.#size === 0) this.#seal();
    if (this.#long !== undefined) {
      return this.#sent === 0 ? this.#long : this.#long.subarray(this.#sent);
    }
    return this.#core.bytes.subarray(this.#room + this.#sent, this.#room + this.#size);
  }

  /** Seals the next piece: what is left of the part, or a part that belongs to the same message. */
  #seal(): void {
    if (this.#offset === this.#end) this.#take(PIECE_LIMIT);
    this.#start = this.#offset;
    if (this.#body === undefined) this.#sealRun();
    else this.#sealBody(this.#body);
  }

  #sealRun(): void {
    const core = this.#core;
    const size = this.#end - this.#offset;
    // Twice the octets are enough but for the shortest of frames; of those the rest comes next.
    this.#reserve(Math.min(2 * size + LEAST_ROOM / 2, MOST_ROOM));
    const at = this.#outbox.flightAddress;
    const from = at + this.#offset;
    const end = at + this.#end;
    this.#size = core.exports.curveSeal(
      this.#keys.sending,
      from,
      end,
      this.#room,
      this.#roomSize,
    );
    if (this.#size === 0) throw exhausted();
    this.#offset = core.words[RESULT_WORD + CURVE_NEXT] - at;
    this.#plain = this.#offset - this.#start;
  }

  /** Seals a body by reference: in the room, or passing through it where it is too long for that. */
  #sealBody(body: Uint8Array): void {
    const core = this.#core;
    const whole = FRAME_COST + body.length;
    const fits = whole <= MOST_ROOM;
    this.#reserve(fits ? whole : PASS_SIZE + FRAME_COST);
    const { exports, bytes } = core;
    const flags = bytes[this.#outbox.flightAddress + this.#offset];
    const text = exports.curveBegin(this.#keys.sending, flags, body.length, this.#room);
    if (text === 0) throw exhausted();
    if (fits) {
      bytes.set(body, text + 1);
      exports.boxUpdate(text, text, 1 + body.length, 0);
    } else {
      this.#long = this.#pass(body, text, whole);
    }
    exports.boxTag(text - 16);
    this.#long?.set(bytes.subarray(this.#room, text));
    this.#size = whole;
    this.#plain = LONG_HEADER + body.length;
    this.#offset = this.#end;
    this.#body = undefined;
  }

  /** The sealed frame in memory of its own, but for what comes before the text. */
  #pass(body: Uint8Array, text: number, whole: number): Uint8Array {
    const { exports, bytes } = this.#core;
    const sealed = uncleared(whole);
    // The flags stand before the body already.
    let lead = 1;
    let to = whole - body.length - lead;
    for (let at = 0; at < body.length;) {
      const size = Math.min((lead === 1 ? FIRST_PASS : PASS_SIZE) - lead, body.length - at);
      bytes.set(body.subarray(at, at + size), text + lead);
      exports.boxUpdate(text, text, lead + size, 0);
      sealed.set(bytes.subarray(text, text + lead + size), to);
      at += size;
      to += lead + size;
      lead = 0;
    }
    return sealed;
  }

  /** Makes the room large enough; what is in it is lost. */
  #reserve(size: number): void {
    if (size <= this.#roomSize) return;
    this.#giveBack();
    const wanted = Math.max(LEAST_ROOM, 1 << 32 - Math.clz32(size - 1));
    this.#room = this.#core.block(wanted, "encrypt");
    this.#roomSize = wanted;
  }

  #giveBack(): void {
    if (this.#roomSize > 0) this.#core.exports.free(this.#room, this.#roomSize);
    this.#roomSize = 0;
  }

  advance(count: number): void {
    this.#sent += count;
    // What counts as sent are the octets on the wire.
    this.#outbox.sent += count;
    if (this.#sent < this.#size) return;
    const plain = this.#plain;
    this.#forget();
    this.#left(plain);
  }

  /** So many octets of the run in flight have left. */
  #left(plain: number): void {
    this.#outbox.sent -= plain;
    this.#outbox.advance(plain);
  }

  #forget(): void {
    this.#size = 0;
    this.#sent = 0;
    this.#plain = 0;
    this.#long = undefined;
  }

  rewind(): void {
    // Of a run the frames that left whole count; a body by reference has left, or has not.
    if (this.#sent > 0 && this.#plain === this.#offset - this.#start) {
      const at = this.#outbox.flightAddress;
      const start = at + this.#start;
      this.#left(this.#core.exports.curveLeft(start, at + this.#offset, this.#sent));
    }
    this.#forget();
    this.#body = undefined;
    this.#outbox.rewind();
    this.#giveBack();
  }

  trim(): boolean {
    if (!this.inFlight) this.#giveBack();
    return this.#outbox.trim();
  }
}
