// The ciphers of the core with published vectors: NaCl's own tests and ECRYPT's.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CURVE_NONCE } from "../../wasm/layout.ts";
import { fromHex, toHex } from "../_util/bytes.ts";
import { assertOctets, concat } from "../_util/octets.ts";
import { expand } from "../_util/vectors.ts";
import vectors from "./_vectors/crypto.json" with { type: "json" };
import { CurveStand } from "./models/curve_stand.ts";

const { salsa20, hsalsa20, secretbox } = vectors;
const stand = new CurveStand(secretbox.streamSize + 4096);
const { exports } = stand.core;

describe("The ciphers of the core", () => {
  it("make ECRYPT's stream of Salsa20, after the half block that is the key of the tag", () => {
    const nonce = new DataView(expand(salsa20.nonce).slice().buffer).getBigUint64(0);
    stand.bytes.set(expand(salsa20.key), stand.keys);
    new DataView(stand.bytes.buffer).setBigUint64(stand.keys + CURVE_NONCE, nonce, true);
    const size = 512 - 32;
    const text = exports.curveBegin(stand.keys, 0, size, stand.free);
    stand.bytes.fill(0, text, text + size);
    exports.boxUpdate(text, text, size, 0);
    for (const [at, hex] of salsa20.blocks as [number, string][]) {
      const from = Math.max(at, 32);
      const expected = fromHex(hex).subarray(from - at);
      const place = text + from - 32;
      assertOctets(stand.bytes.subarray(place, place + expected.length), expected, `from ${from}`);
    }
  });

  it("make NaCl's keys with HSalsa20, in their own place too", () => {
    for (const { meaning, key, input, out } of hsalsa20) {
      for (const place of [64, 0]) {
        const made = stand.guarded(
          concat(fromHex(key), expand(input), new Uint8Array(48)),
          (at) => {
            exports.hsalsa20(at, at + 32, at + place);
            return stand.bytes.slice(at + place, at + place + 32);
          },
        );
        assertEquals(toHex(made), out, meaning);
      }
    }
  });

  it("seal and open NaCl's secretbox", () => {
    const [key, nonce, message, sealed] = [
      secretbox.key,
      secretbox.nonce,
      secretbox.message,
      secretbox.sealed,
    ].map(fromHex);
    assertEquals(toHex(stand.secretboxSeal(key, nonce, message)), secretbox.sealed);
    const opened = stand.secretboxOpen(key, nonce, sealed);
    assertEquals(opened && toHex(opened), secretbox.message);
  });

  it("make the four megabytes of stream whose hash NaCl gives", async () => {
    // A message of zeros becomes the stream, but for its beginning, which is the key of the tag.
    const zeros = new Uint8Array(secretbox.streamSize - 32);
    const sealed = stand.secretboxSeal(fromHex(secretbox.key), fromHex(secretbox.nonce), zeros);
    const stream = concat(fromHex(secretbox.tagKey), sealed.subarray(16));
    const hash = await crypto.subtle.digest("SHA-256", stream);
    assertEquals(toHex(new Uint8Array(hash)), secretbox.streamSha256);
  });
});
