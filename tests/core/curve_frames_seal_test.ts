// curveSeal and curveLeft at their limits: room, nonces, the end of the memory.

import { salsa20 } from "@noble/ciphers/salsa.js";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CURVE_NEXT, CURVE_OVERHEAD } from "../../wasm/layout.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import {
  bigEndian,
  encodeFrames,
  FROM_CLIENT,
  holds,
  type Plain,
  sealFrame,
  sealFrames,
} from "./models/curve_model.ts";
import { CurveStand } from "./models/curve_stand.ts";
import { MORE } from "./models/frame_model.ts";

const KEY = pattern(32, 6);
const LAST_NONCE = 2n ** 64n - 1n;
const stand = new CurveStand(1 << 18);
const { exports } = stand.core;

function frame(size: number, flags = 0): Plain {
  return { flags, body: pattern(size, size) };
}

/** Room that is enough for a frame, whatever its size: a long header, and what is added to the body. */
function roomFor(size: number): number {
  return size + 9 + CURVE_OVERHEAD;
}

describe("Frames that are sealed", () => {
  it("stop where the room ends, and nothing is written behind it", () => {
    const sizes = [0, 1, 31, 100, 222, 223, 255, 256, 479, 480, 1000];
    for (const size of sizes) {
      const plain = encodeFrames([frame(size)]);
      const whole = sealFrames(KEY, FROM_CLIENT, 9n, [frame(size)]);
      for (let room = 0; room <= roomFor(size); room++) {
        stand.setKeys(KEY, FROM_CLIENT, 9n);
        const { sealed, taken } = stand.sealOnce(plain, room);
        const fits = sealed.length > 0;
        assertEquals(taken, fits ? plain.length : 0);
        assertEquals(stand.nonce, fits ? 10n : 9n, "a nonce was used up");
        if (fits) assertOctets(sealed, whole);
        if (room < whole.length) assert(!fits);
        if (room === roomFor(size)) assert(fits, `${size} octets do not fit`);
      }
    }
  });

  it("stop at the first one that does not fit, and go on there", () => {
    const frames = [frame(10), frame(600), frame(20), frame(2000), frame(5, MORE)];
    stand.setKeys(KEY, FROM_CLIENT, 1n);
    const plain = encodeFrames(frames);
    const first = stand.sealOnce(plain, roomFor(10) + roomFor(600) + roomFor(20));
    assertOctets(first.sealed, sealFrames(KEY, FROM_CLIENT, 1n, frames.slice(0, 3)));
    assertEquals(first.taken, encodeFrames(frames.slice(0, 3)).length);
    assertEquals(stand.sealOnce(plain.subarray(first.taken), 2000), {
      sealed: new Uint8Array(),
      taken: 0,
    });
    const rest = stand.sealOnce(plain.subarray(first.taken), 4000);
    assertOctets(rest.sealed, sealFrames(KEY, FROM_CLIENT, 4n, frames.slice(3)));
  });

  it("are none when there are none", () => {
    stand.setKeys(KEY, FROM_CLIENT, 1n);
    assertEquals(stand.sealOnce(new Uint8Array(), 100), { sealed: new Uint8Array(), taken: 0 });
    assertEquals(stand.nonce, 1n);
  });

  it("CURVE-NONCE-03: stop before the last nonce, which is never used", () => {
    for (const size of [5, 1000]) {
      for (let left = 0n; left < 4n; left++) {
        const frames = Array.from({ length: 5 }, () => frame(size));
        const start = LAST_NONCE - left;
        stand.setKeys(KEY, FROM_CLIENT, start);
        const { sealed } = stand.sealOnce(encodeFrames(frames), 10_000);
        const some = frames.slice(0, Number(left));
        assertOctets(sealed, sealFrames(KEY, FROM_CLIENT, start, some));
        assertEquals(stand.nonce, LAST_NONCE);
        assertEquals(stand.sealOnce(encodeFrames(frames), 10_000).taken, 0);
        assertEquals(stand.nonce, LAST_NONCE);
      }
    }
  });

  it("CURVE-NONCE-01, CURVE-NONCE-09: use every nonce once, also where a word of it overflows", () => {
    const frames = Array.from({ length: 40 }, (_, i) => frame(i * 20));
    for (const start of [2n ** 32n - 17n, 2n ** 63n - 3n, 255n, 65_530n]) {
      stand.setKeys(KEY, FROM_CLIENT, start);
      assertOctets(
        stand.seal(encodeFrames(frames), 30_000),
        sealFrames(KEY, FROM_CLIENT, start, frames),
      );
    }
  });

  it("may end where the memory ends, before and after", () => {
    for (let size = 0; size <= 600; size++) {
      const plain = encodeFrames([frame(3), frame(size)]);
      const expected = sealFrames(KEY, FROM_CLIENT, 1n, [frame(3), frame(size)]);
      stand.setKeys(KEY, FROM_CLIENT, 1n);
      const at = stand.atEnd(plain);
      const made = exports.curveSeal(stand.keys, at, stand.end, stand.free, 2000);
      assertOctets(stand.bytes.subarray(stand.free, stand.free + made), expected);
      assertEquals(stand.word(CURVE_NEXT), stand.end);
      // And the other way round: plain frames anywhere, the room at the end.
      stand.setKeys(KEY, FROM_CLIENT, 1n);
      stand.bytes.set(plain, stand.free);
      const room = roomFor(3) + roomFor(size);
      const out = stand.end - room;
      const end = stand.free + plain.length;
      assertEquals(exports.curveSeal(stand.keys, stand.free, end, out, room), expected.length);
      assertOctets(stand.bytes.subarray(out, out + expected.length), expected);
    }
  });

  it("leave nothing of the stream or of a message where the core worked", () => {
    stand.setKeys(KEY, FROM_CLIENT, 1n);
    const frames = [0, 100, 400, 30, 2000, 1, 1100, 1200, 1300].map((size) => frame(size));
    const sealed = stand.seal(encodeFrames(frames), 20_000);
    const subkey = stand.bytes.slice(stand.keys, stand.keys + 32);
    const streams = frames.map((_, i) =>
      salsa20(subkey, bigEndian(BigInt(i + 1)), new Uint8Array(3000))
    );
    const check = (when: string): void => {
      const statics = stand.bytes.slice(0, stand.keys);
      for (const secret of [...streams, ...frames.map(({ body }) => body)]) {
        assert(!holds(statics, secret, 5), `something is there after ${when}`);
      }
    };
    check("sealing");
    stand.nonce = 0n;
    assertOctets(stand.open(sealed).plain, encodeFrames(frames));
    check("opening");
  });
});

describe("The frames that left", () => {
  it("are those whose sealed octets are gone to the last", () => {
    const sizes = fc.array(fc.oneof(fc.nat(40), fc.integer({ min: 215, max: 262 }), fc.nat(3000)), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(sizes, fc.nat(10), fc.integer({ min: -1, max: 1 }), (sizes, count, beside) => {
        const frames = sizes.map((size) => frame(size));
        const some = frames.slice(0, count);
        const sealed = sealFrames(KEY, FROM_CLIENT, 1n, some).length + beside;
        if (sealed < 0) return;
        // An octet less, and the last of them is not gone.
        const left = beside < 0 ? some.slice(0, -1) : some;
        const plain = encodeFrames(frames);
        stand.guarded(plain, (at) => {
          const answer = exports.curveLeft(at, at + plain.length, sealed);
          assertEquals(answer, encodeFrames(left).length);
        });
      }),
    );
  });

  it("are none of none, and all when more is gone than there was", () => {
    const plain = concat(encodeFrames([frame(5), frame(300)]));
    stand.guarded(plain, (at) => {
      assertEquals(exports.curveLeft(at, at, 100), 0);
      assertEquals(exports.curveLeft(at, at + plain.length, 0), 0);
      assertEquals(exports.curveLeft(at, at + plain.length, 2 ** 40), plain.length);
    });
    assertEquals(sealFrame(KEY, FROM_CLIENT, 1n, frame(5)).length, 40);
  });
});
