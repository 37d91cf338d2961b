// Poly1305 of the core with any key. The core takes the key of a tag from the stream of the cipher, where a test cannot have
// the keys that are hard on the arithmetic; so they are put over those from the stream, where the core keeps them.

import { salsa20 } from "@noble/ciphers/salsa.js";
import { assert } from "@std/assert";
import { fromHex } from "../../_util/bytes.ts";
import { concat, pattern } from "../../_util/octets.ts";
import { CurveStand } from "./curve_stand.ts";

const CLAMP = fromHex("ffffff0f fcffff0f fcffff0f fcffff0f");
const KEY = pattern(32, 7);
const NONCE = 0x0102030405060708n;

function clamp(r: Uint8Array): Uint8Array<ArrayBuffer> {
  return r.slice(0, 16).map((octet, i) => octet & CLAMP[i]);
}

/** Five quarters of the second to the fourth word of r, which the core keeps behind it. */
function quarters(r: Uint8Array<ArrayBuffer>): Uint8Array {
  const words = new Uint32Array(r.buffer, 4, 3).map((word) => word / 4 * 5);
  return new Uint8Array(words.buffer);
}

/** Makes tags by boxUpdate and boxTag. */
export class TagStand {
  readonly #stand: CurveStand;
  readonly #r: number;
  readonly #s: number;

  constructor(room: number) {
    this.#stand = new CurveStand(room + 4096);
    this.#begin();
    const nonce = fromHex(NONCE.toString(16).padStart(16, "0"));
    const key = salsa20(KEY, nonce, new Uint8Array(32));
    const [r, s] = [key.subarray(0, 16), key.subarray(16)];
    this.#r = this.#find(concat(clamp(r), quarters(clamp(r))));
    // The stream stands there as well, r before s.
    this.#s = this.#find(s, (at) => this.#find(concat(r, s)) + 16 !== at);
  }

  #begin(): void {
    this.#stand.bytes.set(KEY, this.#stand.keys);
    this.#stand.nonce = NONCE;
    this.#stand.core.exports.curveBegin(this.#stand.keys, 0, 300, this.#stand.free);
  }

  #find(octets: Uint8Array, fits: (at: number) => boolean = () => true): number {
    const { bytes } = this.#stand;
    for (let at = 0; at < this.#stand.keys; at++) {
      if (octets.every((octet, i) => octet === bytes[at + i]) && fits(at)) return at;
    }
    assert(false, "the core keeps the key of the tag elsewhere");
  }

  /** The tag of a text that arrives in pieces, which must have the sizes that boxUpdate wants. */
  tag(key: Uint8Array, ...pieces: Uint8Array[]): Uint8Array {
    const { bytes, core } = this.#stand;
    this.#begin();
    bytes.set(clamp(key), this.#r);
    bytes.set(quarters(clamp(key)), this.#r + 16);
    bytes.set(key.subarray(16, 32), this.#s);
    const at = this.#stand.free + 512;
    for (const piece of pieces) {
      bytes.set(piece, at);
      // Opening, the text goes into the tag as it is.
      core.exports.boxUpdate(at, at, piece.length, 1);
    }
    core.exports.boxTag(at);
    return bytes.slice(at, at + 16);
  }
}
