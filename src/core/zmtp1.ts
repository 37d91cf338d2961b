// The frames of a ZMTP 1.0 connection (RFC 13): `size flags body`, or `ff size(8) flags body`, where the size counts the flags.
// They become those of ZMTP 3 before anything else sees them, and are made of these when they are about to be written.

import { FLAG_LONG, FLAG_MORE, LONG_HEADER, SHORT_HEADER } from "../../wasm/layout.ts";
import { ProtocolError } from "../errors.ts";
import { uncleared } from "../message.ts";
import { fill, type Filling } from "../octets.ts";
import { frameSize, headerSize } from "../span.ts";
import type { Core } from "./instance.ts";
import type { Flight, Outbox } from "./outbox.ts";

const OLD_SHORT_HEADER = 2;
const OLD_LONG_HEADER = 10;
/** The first octet of a long header, and the largest size of a short one. */
const LONG_MARK = 255;
const SHORT_MOST = 254;
const READ_SIZE = 16 * 1024;
/** Most octets of short frames that are made for one write. */
const PIECE_LIMIT = 64 * 1024;

/** Takes what a peer of ZMTP 1.0 sends, and gives it on as frames of ZMTP 3, which are never longer. */
export class Zmtp1Reader implements Filling {
  readonly #to: Filling;
  /** What is read lies behind room for a header that began in the last read; what it becomes, at the start. */
  readonly #memory: Uint8Array = new Uint8Array(OLD_LONG_HEADER + READ_SIZE);
  #header = 0;
  /** Octets of the body that are still to come. */
  #left = 0;

  constructor(to: Filling) {
    this.#to = to;
  }

  target(): Uint8Array {
    return this.#memory.subarray(OLD_LONG_HEADER);
  }

  /** Throws a ProtocolError when the peer broke the framing; what came before that was given on. */
  filled(count: number): void {
    const memory = this.#memory;
    const end = OLD_LONG_HEADER + count;
    // A header that has begun stands right before what follows it.
    let from = OLD_LONG_HEADER - this.#header;
    let to = 0;
    this.#header = 0;
    while (from < end) {
      if (this.#left > 0) {
        const size = Math.min(this.#left, end - from);
        memory.copyWithin(to, from, from + size);
        this.#left -= size;
        from += size;
        to += size;
        continue;
      }
      const header = memory[from] === LONG_MARK ? OLD_LONG_HEADER : OLD_SHORT_HEADER;
      if (end - from < header) break;
      const size = sizeOf(memory, from);
      if (size === 0n) {
        this.#pass(to);
        throw new ProtocolError(
          "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
          "The peer sent a frame of the size 0, where ZMTP 1.0 counts the flags",
        );
      }
      const more = memory[from + header - 1] & FLAG_MORE;
      from += header;
      to += putHeader(memory, to, more, size - 1n);
      this.#left = Number(size - 1n);
    }
    this.#pass(to);
    this.#header = end - from;
    memory.copyWithin(OLD_LONG_HEADER - this.#header, from, end);
  }

  #pass(size: number): void {
    if (size > 0) fill(this.#to, this.#memory.subarray(0, size));
  }
}

function sizeOf(octets: Uint8Array, at: number): bigint {
  if (octets[at] !== LONG_MARK) return BigInt(octets[at]);
  return new DataView(octets.buffer, octets.byteOffset).getBigUint64(at + 1);
}

/** Writes a header of ZMTP 3, and answers its size. */
function putHeader(octets: Uint8Array, at: number, more: number, size: bigint): number {
  if (size < 256n) {
    octets[at] = more;
    octets[at + 1] = Number(size);
    return SHORT_HEADER;
  }
  octets[at] = more | FLAG_LONG;
  new DataView(octets.buffer, octets.byteOffset).setBigUint64(at + 1, size);
  return LONG_HEADER;
}

/** Writes a header of ZMTP 1.0, and answers its size. */
function putOldHeader(octets: Uint8Array, at: number, more: number, size: number): number {
  if (size < SHORT_MOST) {
    octets[at] = 1 + size;
    octets[at + 1] = more;
    return OLD_SHORT_HEADER;
  }
  octets[at] = LONG_MARK;
  new DataView(octets.buffer, octets.byteOffset).setBigUint64(at + 1, BigInt(1 + size));
  octets[at + OLD_LONG_HEADER - 1] = more;
  return OLD_LONG_HEADER;
}

/** A frame of the piece that is being written: where it ends there, and its size in the outbox. */
interface Made {
  readonly end: number;
  readonly size: number;
}

/** What a ZMTP 1.0 connection writes: the messages of an outbox in older frames, a piece at a time. */
export class Zmtp1Flight implements Flight {
  readonly #core: Core;
  readonly #outbox: Outbox;
  #piece: Uint8Array | undefined;
  #frames: Made[] = [];
  #sent = 0;
  /** Octets of the run in flight that were made into pieces. */
  #taken = 0;

  constructor(core: Core, outbox: Outbox) {
    this.#core = core;
    this.#outbox = outbox;
  }

  get inFlight(): boolean {
    return this.#outbox.inFlight;
  }

  take(limit: number): boolean {
    this.#taken = 0;
    return this.#make(Math.min(limit, PIECE_LIMIT));
  }

  #make(limit: number): boolean {
    const part = this.#outbox.takePart(limit);
    if (part === undefined) return false;
    const start = this.#outbox.flightAddress + this.#taken;
    const run = this.#core.bytes.subarray(start, start + part.size);
    // Only a frame of 254 or 255 octets becomes longer, by eight.
    const piece = uncleared(2 * part.size + OLD_LONG_HEADER + (part.body?.length ?? 0));
    let to = 0;
    this.#frames = [];
    for (let at = 0; at < run.length;) {
      const header = headerSize(run[at]);
      const size = frameSize(run, at);
      const body = part.body ?? run.subarray(at + header, at + size);
      to += putOldHeader(piece, to, run[at] & FLAG_MORE, body.length);
      piece.set(body, to);
      to += body.length;
      this.#frames.push({ end: to, size });
      at += part.body === undefined ? size : header;
    }
    this.#piece = piece.subarray(0, to);
    this.#sent = 0;
    this.#taken += part.size;
    return true;
  }

  next(): Uint8Array {
    if (this.#piece === undefined) this.#make(PIECE_LIMIT);
    return this.#piece!.subarray(this.#sent);
  }

  advance(count: number): void {
    this.#sent += count;
    this.#outbox.sent += count;
    if (this.#sent === this.#piece!.length) this.#leave();
  }

  /** The frames that have left whole have left the outbox. */
  #leave(): void {
    let plain = 0;
    for (const { end, size } of this.#frames) if (end <= this.#sent) plain += size;
    this.#piece = undefined;
    // What counts as sent are the octets on the wire.
    this.#outbox.sent -= plain;
    this.#outbox.advance(plain);
  }

  rewind(): void {
    if (this.#piece !== undefined) this.#leave();
    this.#outbox.rewind();
  }

  trim(): boolean {
    return this.#outbox.trim();
  }
}
