// Poly1305 of the core: the vectors of RFC 8439, and keys and texts that drive its limbs to their limits.

import { poly1305 } from "@noble/ciphers/_poly1305.js";
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { toHex } from "../_util/bytes.ts";
import { concat, pattern } from "../_util/octets.ts";
import { expand } from "../_util/vectors.ts";
import vectors from "./_vectors/crypto.json" with { type: "json" };
import { TagStand } from "./models/tag_stand.ts";

const stand = new TagStand(70_000);

/** The tag as the standard defines it, with integers of any size. */
function plainTag(key: Uint8Array, text: Uint8Array): Uint8Array {
  const number = (octets: Uint8Array): bigint =>
    octets.reduceRight((sum, octet) => sum << 8n | BigInt(octet), 0n);
  const r = number(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  const prime = (1n << 130n) - 5n;
  let sum = 0n;
  for (let at = 0; at < text.length; at += 16) {
    const block = text.subarray(at, at + 16);
    sum = (sum + number(block) + (1n << BigInt(8 * block.length))) * r % prime;
  }
  sum += number(key.subarray(16, 32));
  return Uint8Array.from({ length: 16 }, (_, i) => Number(sum >> BigInt(8 * i) & 0xffn));
}

/** Words of four octets that make carries long, or none at all. */
const word = fc.constantFrom(
  "ffffffff",
  "ffffffff",
  "00000000",
  "01000000",
  "fbffffff",
  "faffffff",
  "fcffffff",
  "feffffff",
  "00000080",
  "ffffff0f",
  "fcffff0f",
  "04000000",
);

function words(count: number): fc.Arbitrary<Uint8Array> {
  return fc.array(word, { minLength: count, maxLength: count }).map((all) => expand(all.join("")));
}

const key: fc.Arbitrary<Uint8Array> = fc.oneof(
  words(8),
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
);

/** Texts of these words up to some groups of blocks, with any number of octets. */
const text: fc.Arbitrary<Uint8Array> = fc.tuple(
  fc.array(word, { maxLength: 24 }),
  fc.integer({ min: 1, max: 60 }),
  fc.nat(15),
).map(([all, times, less]) => {
  const octets = expand(all.join("").repeat(times));
  return octets.subarray(0, Math.max(0, octets.length - less));
});

describe("The tag of the core", () => {
  for (const { meaning, key, text, tag } of vectors.poly1305) {
    it(`is that of ${meaning}`, () => {
      assertEquals(toHex(stand.tag(expand(key), expand(text))), toHex(expand(tag)));
    });
  }

  it("is right where a carry runs through all limbs at the end", () => {
    // Twice the sum of both blocks is 2^131 - 2, or 8 modulo 2^130 - 5.
    const key = expand("02 31*00");
    assertEquals(toHex(stand.tag(key, expand("16*00 16*ff"))), toHex(expand("08 15*00")));
  });

  it("is the remainder of the definition for the extremes of keys and texts", () => {
    fc.assert(
      fc.property(key, text, (key, text) => {
        assertEquals(toHex(stand.tag(key, text)), toHex(plainTag(key, text)));
      }),
      { numRuns: 500 },
    );
  });

  it("is right with the largest key for every number of full blocks", () => {
    const key = new Uint8Array(32).fill(0xff);
    const text = new Uint8Array(2048).fill(0xff);
    for (let size = 0; size <= text.length; size += 16) {
      const part = text.subarray(0, size);
      assertEquals(toHex(stand.tag(key, part)), toHex(poly1305(part, key)), `${size} octets`);
    }
  });

  it("does not depend on where a long text is cut", () => {
    fc.assert(
      fc.property(key, fc.array(fc.nat(4), { maxLength: 6 }), fc.nat(600), (key, groups, rest) => {
        const sizes = groups.map((count, i) => 256 * count + (i === 0 ? 224 : 0));
        const pieces = [...sizes, rest].map((size, i) => pattern(size, i));
        assertEquals(toHex(stand.tag(key, ...pieces)), toHex(poly1305(concat(...pieces), key)));
      }),
    );
  });

  it("leaves nothing of the key behind for the next message", () => {
    const text = pattern(100);
    const one = pattern(32, 1);
    const other = pattern(32, 2);
    const before = toHex(stand.tag(one, text));
    assertEquals(toHex(stand.tag(other, text)), toHex(poly1305(text, other)));
    assertEquals(toHex(stand.tag(one, text)), before);
  });
});
