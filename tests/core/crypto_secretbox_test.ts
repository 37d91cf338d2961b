// The secretbox of the core beside that of another library: every size around the borders of blocks and groups, in every
// place, and what was altered.

import { xsalsa20, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { utf8 } from "../_util/bytes.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import { holds, hsalsa20 } from "./models/curve_model.ts";
import { CurveStand } from "./models/curve_stand.ts";

const MEGABYTE = 1 << 20;
const stand = new CurveStand(MEGABYTE + 8192);
const { exports } = stand.core;
const KEY = pattern(32, 1);
const NONCE = pattern(24, 2);

/** Seals and opens, and compares both with the other library. */
function check(key: Uint8Array, nonce: Uint8Array, message: Uint8Array): void {
  const expected = xsalsa20poly1305(key, nonce).encrypt(message);
  const sealed = stand.secretboxSeal(key, nonce, message);
  assertOctets(sealed, expected, `${message.length} octets sealed`);
  const opened = stand.secretboxOpen(key, nonce, sealed);
  assert(opened !== undefined, `${message.length} octets do not open`);
  assertOctets(opened, message, `${message.length} octets opened`);
}

describe("The secretbox of the core", () => {
  it("is that of another library for each size up to some groups of blocks", () => {
    for (let size = 0; size <= 1100; size++) {
      check(pattern(32, size), pattern(24, size), pattern(size, size));
    }
  });

  it("is that of another library around larger borders", () => {
    for (const border of [4096, 65_536, MEGABYTE]) {
      for (const size of [border - 33, border - 32, border - 31, border - 1, border, border + 1]) {
        check(KEY, NONCE, pattern(size));
      }
    }
  });

  it("is that of another library for any key, nonce and message", () => {
    const octets = (size: number): fc.Arbitrary<Uint8Array> =>
      fc.uint8Array({ minLength: size, maxLength: size });
    fc.assert(
      fc.property(octets(32), octets(24), fc.uint8Array({ maxLength: 3000 }), check),
      { numRuns: 300 },
    );
  });

  it("refuses what one bit was changed of, and leaves nothing of it", () => {
    // Blocks share no code with the rest behind them: sizes with one, with the other, with both.
    for (const size of [0, 1, 16, 40, 224, 225, 500]) {
      const sealed = stand.secretboxSeal(KEY, NONCE, pattern(size));
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const altered = sealed.slice();
        altered[bit >> 3] ^= 1 << (bit & 7);
        assertEquals(stand.secretboxOpen(KEY, NONCE, altered), undefined, `${size}, bit ${bit}`);
      }
    }
  });

  it("refuses another key, another nonce and another size", () => {
    const sealed = stand.secretboxSeal(KEY, NONCE, pattern(700));
    for (let bit = 0; bit < 256; bit += 5) {
      const key = KEY.slice();
      key[bit >> 3] ^= 1 << (bit & 7);
      assertEquals(stand.secretboxOpen(key, NONCE, sealed), undefined);
    }
    for (let bit = 0; bit < 192; bit++) {
      const nonce = NONCE.slice();
      nonce[bit >> 3] ^= 1 << (bit & 7);
      assertEquals(stand.secretboxOpen(KEY, nonce, sealed), undefined);
    }
    for (const size of [16, 17, 700, 715]) {
      assertEquals(stand.secretboxOpen(KEY, NONCE, sealed.subarray(0, size)), undefined);
    }
    assertEquals(stand.secretboxOpen(KEY, NONCE, concat(sealed, new Uint8Array(1))), undefined);
    assert(stand.secretboxOpen(KEY, NONCE, sealed) !== undefined);
  });

  it("works at the very end of the memory", () => {
    stand.bytes.set(concat(KEY, NONCE), stand.free);
    for (let size = 0; size <= 600; size++) {
      const message = pattern(size);
      const at = stand.atEnd(concat(new Uint8Array(16), message));
      exports.secretboxSeal(stand.free, stand.free + 32, at, size);
      const expected = xsalsa20poly1305(KEY, NONCE).encrypt(message);
      assertOctets(stand.bytes.subarray(at), expected, `${size} octets`);
      assertEquals(exports.secretboxOpen(stand.free, stand.free + 32, at, size), 1);
      assertOctets(stand.bytes.subarray(at + 16), message, `${size} octets`);
    }
  });

  it("leaves nothing of a key, of the stream or of a message where it worked", () => {
    const message = pattern(1500, 3);
    const subkey = hsalsa20(KEY, NONCE.subarray(0, 16));
    const stream = xsalsa20(KEY, NONCE, new Uint8Array(3000));
    // HSalsa20 takes its input away again from what Salsa20 makes: here that are the constants.
    const constants = new Uint32Array(utf8("expand 32-byte k").slice().buffer);
    const diagonal = new Uint32Array(subkey.slice(0, 16).buffer).map((word, i) =>
      word + constants[i]
    );
    const words = new Uint8Array(diagonal.buffer);
    const secrets = { subkey, words, stream, message };
    const sealed = stand.secretboxSeal(KEY, NONCE, message);
    const check = (when: string): void => {
      const statics = stand.bytes.slice(0, stand.keys);
      for (const [name, secret] of Object.entries(secrets)) {
        assert(!holds(statics, secret, 4), `something of the ${name} is there after ${when}`);
      }
    };
    check("sealing");
    assert(stand.secretboxOpen(KEY, NONCE, sealed) !== undefined);
    check("opening");
    sealed[20] ^= 1;
    assertEquals(stand.secretboxOpen(KEY, NONCE, sealed), undefined);
    check("a refusal");
  });
});
