// Long frames whose octets come in pieces: what curveBegin, boxUpdate and boxTag seal, and what curveOpening and curveOpened
// let pass, beside the model of whole frames.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CURVE_FLAGS } from "../../wasm/layout.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import { FROM_CLIENT, sealFrame, sealText } from "./models/curve_model.ts";
import { CurveStand, FAULTS } from "./models/curve_stand.ts";
import { COMMAND, MORE } from "./models/frame_model.ts";

const KEY = pattern(32, 9);
/** The header of a long frame, and the body up to the text. */
const HEADER = 9;
const TEXT_AT = 32;
const stand = new CurveStand(1 << 18);
const { exports } = stand.core;

/** Cuts a text where boxUpdate allows it. */
function cut(text: Uint8Array, groups: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const count of groups) {
    const size = 256 * count + (at === 0 ? 224 : 0);
    if (at + size > text.length) break;
    pieces.push(text.subarray(at, at + size));
    at += size;
  }
  pieces.push(text.subarray(at));
  return pieces;
}

/** Sends the pieces through boxUpdate, each from one place to another. */
function update(pieces: readonly Uint8Array[], opening: number, shift: number): Uint8Array {
  return concat(...pieces.map((piece) => {
    const octets = concat(new Uint8Array(shift), piece);
    return stand.guarded(octets, (at) => {
      exports.boxUpdate(at + shift, at, piece.length, opening);
      return stand.bytes.slice(at, at + piece.length);
    });
  }));
}

/** A frame that is sealed in pieces. */
function seal(flags: number, body: Uint8Array, groups: readonly number[], shift = 0): Uint8Array {
  const out = stand.free;
  const text = exports.curveBegin(stand.keys, flags, body.length, out);
  assertEquals(text, out + HEADER + TEXT_AT);
  const start = stand.bytes.slice(out, text);
  const inner = stand.bytes.slice(text, text + 1);
  const sealed = update(cut(concat(inner, body), groups), 0, shift);
  exports.boxTag(out);
  return concat(start.subarray(0, HEADER + 16), stand.bytes.slice(out, out + 16), sealed);
}

interface Answer {
  readonly fault: string | undefined;
  readonly text: Uint8Array;
  readonly flags: number;
}

/** The body of a sealed frame, opened in pieces. */
function open(body: Uint8Array, groups: readonly number[], shift = 0): Answer {
  const nothing = new Uint8Array();
  stand.bytes.set(body.subarray(0, TEXT_AT), stand.free);
  const status = exports.curveOpening(stand.keys, stand.free, body.length);
  if (FAULTS[status] !== undefined) return { fault: FAULTS[status], text: nothing, flags: 0 };
  const text = update(cut(body.subarray(TEXT_AT), groups), 1, shift);
  const fault = FAULTS[exports.curveOpened(stand.keys, text[0])];
  return { fault, text, flags: stand.word(CURVE_FLAGS) };
}

const body = fc.tuple(fc.integer({ min: 256, max: 5000 }), fc.nat(255)).map(([size, seed]) =>
  pattern(size, seed)
);
const groups = fc.array(fc.nat(5), { maxLength: 5 });
const shift = fc.constantFrom(0, 0, 1, 16, 31, 40);
const flags = fc.constantFrom(0, MORE, COMMAND);

describe("A long frame in pieces", () => {
  it("is sealed as it is in one", () => {
    fc.assert(
      fc.property(flags, body, groups, shift, (flags, body, groups, shift) => {
        stand.setKeys(KEY, FROM_CLIENT, 77n);
        const expected = sealFrame(KEY, FROM_CLIENT, 77n, { flags, body });
        assertOctets(seal(flags, body, groups, shift), expected);
        assertEquals(stand.nonce, 78n);
      }),
    );
  });

  it("is opened as it is in one", () => {
    fc.assert(
      fc.property(flags, body, groups, shift, (flags, body, groups, shift) => {
        const sealed = sealFrame(KEY, FROM_CLIENT, 78n, { flags, body });
        stand.setKeys(KEY, FROM_CLIENT, 77n);
        const opened = open(sealed.subarray(HEADER), groups, shift);
        assertEquals(opened.fault, undefined);
        assertOctets(opened.text.subarray(1), body);
        assertEquals(opened.flags, flags);
        assertEquals(stand.nonce, 78n);
      }),
    );
  });

  it("CURVE-NONCE-07: is refused when a bit was changed, and its nonce does not count", () => {
    const sealed = sealFrame(KEY, FROM_CLIENT, 78n, { flags: 0, body: pattern(600) });
    stand.setKeys(KEY, FROM_CLIENT, 77n);
    for (let bit = 8 * (HEADER + 16); bit < sealed.length * 8; bit += 3) {
      const altered = sealed.slice();
      altered[bit >> 3] ^= 1 << (bit & 7);
      assertEquals(open(altered.subarray(HEADER), [1]).fault, "tag", `bit ${bit}`);
      assertEquals(stand.nonce, 77n);
    }
  });

  it("is refused before it is opened for its name, its size and its nonce", () => {
    stand.setKeys(KEY, FROM_CLIENT, 77n);
    const sealed = (nonce: bigint) =>
      sealFrame(KEY, FROM_CLIENT, nonce, { flags: 0, body: pattern(600) }).subarray(HEADER);
    assertEquals(open(sealed(77n), []).fault, "nonce");
    assertEquals(open(sealed(0n), []).fault, "nonce");
    assertEquals(open(sealed(78n).subarray(0, 7), []).fault, "name");
    assertEquals(open(sealed(78n).subarray(0, 32), []).fault, "short");
    const other = sealed(78n);
    other[7] ^= 1;
    assertEquals(open(other, []).fault, "name");
    assertEquals(open(sealed(2n ** 64n - 1n), []).fault, undefined);
    assertEquals(stand.nonce, 2n ** 64n - 1n);
  });

  it("is refused for unknown flags inside", () => {
    for (let inner = 0; inner < 256; inner++) {
      stand.setKeys(KEY, FROM_CLIENT, 0n);
      const text = concat(Uint8Array.of(inner), pattern(300));
      const { fault } = open(sealText(KEY, FROM_CLIENT, 1n, text), []);
      assertEquals(fault, inner > 3 ? "inner" : undefined, `flags ${inner}`);
      assertEquals(stand.nonce, inner > 3 ? 0n : 1n);
    }
  });

  it("is not begun without a nonce", () => {
    stand.setKeys(KEY, FROM_CLIENT, 2n ** 64n - 1n);
    stand.guard(stand.free);
    assertEquals(exports.curveBegin(stand.keys, 0, 300, stand.free), 0);
    stand.checkGuard(stand.free);
    assertEquals(stand.nonce, 2n ** 64n - 1n);
  });

  it("can be followed by whole frames, and these by it", () => {
    const frame = { flags: MORE, body: pattern(900) };
    stand.setKeys(KEY, FROM_CLIENT, 5n);
    for (let nonce = 5n; nonce < 15n; nonce += 2n) {
      assertOctets(
        seal(0, pattern(400), []),
        sealFrame(KEY, FROM_CLIENT, nonce, {
          flags: 0,
          body: pattern(400),
        }),
      );
      const plain = concat(Uint8Array.of(3), new Uint8Array(6), Uint8Array.of(3, 132), frame.body);
      const whole = stand.seal(plain, 2000);
      assertOctets(whole, sealFrame(KEY, FROM_CLIENT, nonce + 1n, frame));
    }
    assert(stand.nonce === 15n);
  });
});
