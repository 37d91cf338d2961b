// curveSeal and curveOpen beside their model: random batches of frames, sealed into rooms of any size and opened in pieces of
// any size, whole and spoilt.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CURVE_OVERHEAD } from "../../wasm/layout.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import {
  encodeFrames,
  FROM_CLIENT,
  FROM_SERVER,
  type Opened,
  openFrames,
  type Plain,
  sealFrames,
  sealText,
} from "./models/curve_model.ts";
import { CurveStand } from "./models/curve_stand.ts";
import { COMMAND, encodeFrame, LONG, MORE } from "./models/frame_model.ts";

const ROOM = 1 << 18;
const stand = new CurveStand(2 * ROOM);

/** Sizes around all borders: blocks, headers before and after, what counts as short, groups. */
const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(100) },
  { weight: 3, arbitrary: fc.integer({ min: 215, max: 262 }) },
  { weight: 3, arbitrary: fc.integer({ min: 400, max: 520 }) },
  { weight: 1, arbitrary: fc.nat(5000) },
);

const plain: fc.Arbitrary<Plain> = fc.record({
  flags: fc.constantFrom(0, 0, MORE, COMMAND),
  body: fc.tuple(size, fc.nat(255)).map(([size, seed]) => pattern(size, seed)),
});
const frames = fc.oneof(
  { weight: 4, arbitrary: fc.array(plain, { maxLength: 20 }) },
  { weight: 1, arbitrary: fc.array(plain, { minLength: 60, maxLength: 90 }) },
);
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const side = fc.constantFrom(FROM_CLIENT, FROM_SERVER);
const nonce = fc.oneof(
  fc.bigInt({ min: 1n, max: 300n }),
  fc.bigInt({ min: 2n ** 32n - 20n, max: 2n ** 32n }),
  fc.bigInt({ min: 1n, max: 2n ** 64n - 1000n }),
);
const limit = fc.constantFrom(-1, -1, -1, 0, 50, 260, 3000);

/** What may have happened to a frame on the way, or been sent by somebody who has the keys. */
type Spoil = (frame: Uint8Array, key: Uint8Array, side: string, nonce: bigint) => Uint8Array;

/** The same body in a frame with other flags; LONG goes with the size. */
function outer(flags: number): Spoil {
  return (frame) => {
    const octets = frame.slice();
    octets[0] ^= flags;
    return octets;
  };
}

const spoil: fc.Arbitrary<Spoil> = fc.oneof(
  fc.nat().map((place): Spoil => (frame) => {
    const octets = frame.slice();
    const header = octets[0] & LONG ? 9 : 2;
    const bit = place % (8 * (octets.length - header));
    octets[header + (bit >> 3)] ^= 1 << (bit & 7);
    return octets;
  }),
  fc.constantFrom(1, 4, 5, 8, 128).map(outer),
  fc.nat(255).map((inner): Spoil => (_, key, side, nonce) =>
    encodeFrame(0, sealText(key, side, nonce, Uint8Array.of(inner, 7)))
  ),
  fc.nat(40).map((size): Spoil => (frame) => encodeFrame(0, frame.subarray(2, 2 + size))),
  fc.nat(3).map((back): Spoil => (_, key, side, nonce) => {
    const earlier = nonce > BigInt(back) ? nonce - BigInt(back) : 0n;
    return encodeFrame(COMMAND, sealText(key, side, earlier, pattern(50).fill(0, 0, 1)));
  }),
  fc.constant(((frame) => encodeFrame(LONG, frame.subarray(2))) as Spoil),
);

function splits(count: number): fc.Arbitrary<number[]> {
  return fc.array(fc.oneof(fc.nat(50), fc.nat(3000)), { maxLength: count });
}

/** Opens in pieces, as a receiver does: what was not consumed comes again with the next piece. */
function compare(
  octets: Uint8Array,
  pieces: readonly number[],
  limit: number,
  key: Uint8Array,
  side: string,
): void {
  let at = 0;
  let end = 0;
  let expected: Opened;
  for (const piece of [...pieces, octets.length]) {
    end = Math.min(octets.length, end + piece);
    const part = octets.subarray(at, end);
    expected = openFrames(key, side, stand.nonce, part, limit);
    const actual = stand.open(part, limit);
    assertOctets(actual.plain, expected.plain, "plain frames");
    assertEquals({ ...actual, plain: 0 }, { ...expected, plain: 0 });
    if (expected.fault !== undefined) return;
    at += expected.next;
  }
  assert(octets.length - at < expected!.need || octets.length === at);
}

describe("Frames that CURVE seals", () => {
  it("are those of the model, whatever room there is for each call", () => {
    fc.assert(
      fc.property(key, side, nonce, frames, fc.nat(4000), (key, side, nonce, frames, more) => {
        const largest = Math.max(0, ...frames.map(({ body }) => body.length));
        stand.setKeys(key, side, nonce);
        const sealed = stand.seal(encodeFrames(frames), largest + CURVE_OVERHEAD + 32 + more);
        assertOctets(sealed, sealFrames(key, side, nonce, frames));
        assertEquals(stand.nonce, nonce + BigInt(frames.length));
      }),
      { numRuns: 100 },
    );
  });

  it("open as the model does, in whatever pieces they come", () => {
    fc.assert(
      fc.property(
        key,
        side,
        nonce,
        frames,
        splits(10),
        limit,
        (key, side, nonce, frames, pieces, limit) => {
          stand.setKeys(key, side, nonce - 1n);
          compare(sealFrames(key, side, nonce, frames), pieces, limit, key, side);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("are refused as by the model where one of them is wrong, and those before it are good", () => {
    fc.assert(
      fc.property(
        key,
        side,
        nonce,
        fc.array(plain, { maxLength: 12 }),
        plain,
        spoil,
        fc.array(plain, { maxLength: 5 }),
        splits(4),
        (key, side, nonce, before, plain, spoil, after, pieces) => {
          const bad = nonce + BigInt(before.length);
          const octets = concat(
            sealFrames(key, side, nonce, before),
            spoil(sealFrames(key, side, bad, [plain]), key, side, bad),
            sealFrames(key, side, bad + 1n, after),
          );
          stand.setKeys(key, side, nonce - 1n);
          compare(octets, pieces, -1, key, side);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("come back from one end to the other for every size up to some groups of blocks", () => {
    const key = pattern(32, 3);
    const sizes = Array.from({ length: 1101 }, (_, i) => i);
    for (const count of [1, 7, 65]) {
      for (let i = 0; i < sizes.length; i += count) {
        const batch = sizes.slice(i, i + count).map((size) => ({
          flags: size % 3 === 0 ? MORE : 0,
          body: pattern(size, size),
        }));
        stand.setKeys(key, FROM_CLIENT, BigInt(i + 1));
        const sealed = stand.seal(encodeFrames(batch), ROOM / 2);
        assertOctets(sealed, sealFrames(key, FROM_CLIENT, BigInt(i + 1), batch));
        stand.setKeys(key, FROM_CLIENT, BigInt(i));
        assertOctets(stand.open(sealed).plain, encodeFrames(batch));
      }
    }
  });

  it("come back at 64 kB and at 1 MB, and one octet beside", () => {
    const large = new CurveStand(3 << 20);
    const key = pattern(32, 5);
    for (const border of [65_536, 1 << 20]) {
      for (const size of [border - 1, border, border + 1]) {
        const frames = [{ flags: MORE, body: pattern(size) }, { flags: 0, body: pattern(10) }];
        large.setKeys(key, FROM_SERVER, 1n);
        const sealed = large.seal(encodeFrames(frames), size + 200);
        assertOctets(sealed, sealFrames(key, FROM_SERVER, 1n, frames));
        large.setKeys(key, FROM_SERVER, 0n);
        assertOctets(large.open(sealed).plain, encodeFrames(frames));
      }
    }
  });
});
