// The core's ciphers with octets in and octets out. What they work on lies between guards, or at the very end of the memory;
// every call checks that nothing outside was written.

import { assert, assertEquals } from "@std/assert";
import { Core, PAGE } from "../../../src/core/instance.ts";
import {
  CURVE_BAD_FLAGS,
  CURVE_BAD_INNER,
  CURVE_BAD_NAME,
  CURVE_BAD_NONCE,
  CURVE_BAD_SIZE,
  CURVE_BAD_TAG,
  CURVE_DONE,
  CURVE_END,
  CURVE_NEED,
  CURVE_NEXT,
  CURVE_NONCE,
  CURVE_TOO_SHORT,
  RESULTS,
} from "../../../wasm/layout.ts";
import { assertOctets, concat } from "../../_util/octets.ts";
import { hsalsa20, type Opened } from "./curve_model.ts";
import { utf8 } from "../../_util/bytes.ts";

/** The names of the model for the core's answers. */
export const FAULTS: Readonly<Record<number, string | undefined>> = {
  [CURVE_DONE]: undefined,
  [CURVE_BAD_FLAGS]: "flags",
  [CURVE_BAD_SIZE]: "size",
  [CURVE_BAD_NAME]: "name",
  [CURVE_TOO_SHORT]: "short",
  [CURVE_BAD_NONCE]: "nonce",
  [CURVE_BAD_TAG]: "tag",
  [CURVE_BAD_INNER]: "inner",
};

const GUARD = 64;
const MARK = 0xa5;

/** Everything from the end of the statics to the end of the memory, for one call at a time. */
export class CurveStand {
  readonly core: Core;
  readonly #first: number;
  readonly #end: number;

  /** Has room for about so many octets. */
  constructor(room: number) {
    this.core = new Core(undefined, 4 + Math.ceil(room / PAGE));
    const { exports } = this.core;
    // What the allocator hands out first lies behind the statics. It never hands out what this uses.
    this.#first = exports.alloc(4096) + 4096;
    this.core.refresh();
    this.#end = this.core.bytes.length;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.core.bytes;
  }

  word(index: number): number {
    return this.core.words[(RESULTS >> 2) + index];
  }

  get nonce(): bigint {
    return new DataView(this.bytes.buffer).getBigUint64(this.keys + CURVE_NONCE, true);
  }

  set nonce(value: bigint) {
    new DataView(this.bytes.buffer).setBigUint64(this.keys + CURVE_NONCE, value, true);
  }

  /** Where the keys of a direction lie. */
  get keys(): number {
    return this.#first;
  }

  /** Sets the keys of a direction, as a session does. */
  setKeys(key: Uint8Array, side: string, nonce: bigint): void {
    this.bytes.set(hsalsa20(key, utf8(side)), this.keys);
    this.nonce = nonce;
  }

  /** The first place that is free for tests, and what there is up to the end of the memory. */
  get free(): number {
    return this.#first + 64;
  }

  get end(): number {
    return this.#end;
  }

  /** Puts octets at the very end of the memory; their address. */
  atEnd(octets: Uint8Array): number {
    this.bytes.set(octets, this.#end - octets.length);
    return this.#end - octets.length;
  }

  /** Calls with octets between guards, and checks the guards. */
  guarded<T>(octets: Uint8Array, call: (at: number) => T): T {
    const at = this.free + GUARD;
    const end = at + octets.length;
    this.bytes.fill(MARK, this.free, at);
    this.bytes.fill(MARK, end, end + GUARD);
    this.bytes.set(octets, at);
    const result = call(at);
    this.checkGuard(at - GUARD);
    this.checkGuard(end);
    return result;
  }

  /** Marks a span of memory that must not change. */
  guard(at: number): void {
    this.bytes.fill(MARK, at, at + GUARD);
  }

  checkGuard(at: number): void {
    const place = this.bytes.subarray(at, at + GUARD);
    assert(place.every((octet) => octet === MARK), "what lies beside was written");
  }

  // secretbox

  /** Seals a message: the tag, then what is sealed. */
  secretboxSeal(key: Uint8Array, nonce: Uint8Array, message: Uint8Array): Uint8Array {
    return this.guarded(concat(key, nonce, new Uint8Array(16), message), (at) => {
      this.core.exports.secretboxSeal(at, at + 32, at + 56, message.length);
      assertOctets(this.bytes.subarray(at, at + 56), concat(key, nonce), "the key");
      return this.bytes.slice(at + 56, at + 72 + message.length);
    });
  }

  /** Opens it: the message, or `undefined` when it is refused; then nothing of it may be there. */
  secretboxOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    return this.guarded(concat(key, nonce, sealed), (at) => {
      const text = at + 56;
      const size = sealed.length - 16;
      const answer = this.core.exports.secretboxOpen(at, at + 32, text, size);
      if (answer === 1) return this.bytes.slice(text + 16, text + 16 + size);
      assertEquals(answer, 0);
      assertOctets(this.bytes.subarray(text, text + 16 + size), new Uint8Array(16 + size));
      return undefined;
    });
  }

  // Frames

  /** Seals plain frames into so much room: what was made, and how many octets were taken. */
  sealOnce(plain: Uint8Array, room: number): { sealed: Uint8Array; taken: number } {
    return this.guarded(plain, (at) => {
      const end = at + plain.length;
      const out = end + GUARD;
      this.guard(out + room);
      const made = this.core.exports.curveSeal(this.keys, at, end, out, room);
      assert(made <= room);
      this.checkGuard(out + room);
      assertOctets(this.bytes.subarray(at, end), plain, "the plain frames");
      return {
        sealed: this.bytes.slice(out, out + made),
        taken: this.word(CURVE_NEXT) - at,
      };
    });
  }

  /** Seals plain frames with so much room for each call. */
  seal(plain: Uint8Array, room: number): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < plain.length;) {
      const { sealed, taken } = this.sealOnce(plain.subarray(at), room);
      assert(taken > 0, "nothing was sealed");
      parts.push(sealed);
      at += taken;
    }
    return concat(...parts);
  }

  /** Opens sealed frames. */
  open(sealed: Uint8Array, limit = -1): Opened {
    return this.guarded(sealed, (at) => this.openAt(at, sealed.length, limit));
  }

  /** Opens sealed frames where they are. */
  openAt(at: number, size: number, limit = -1): Opened {
    const status = this.core.exports.curveOpen(this.keys, at, at + size, limit);
    return {
      fault: FAULTS[status],
      plain: this.bytes.slice(at, this.word(CURVE_END)),
      next: this.word(CURVE_NEXT) - at,
      need: status === CURVE_DONE ? this.word(CURVE_NEED) : 0,
      nonce: this.nonce,
    };
  }
}
