// curveOpen with what a peer may send: altered octets, nonces, flags outside and inside, limits, frames cut anywhere.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CURVE_FLAGS, CURVE_OVERHEAD } from "../../wasm/layout.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import {
  encodeFrames,
  FROM_SERVER,
  holds,
  openFrames,
  type Plain,
  sealFrame,
  sealFrames,
  sealText,
} from "./models/curve_model.ts";
import { CurveStand } from "./models/curve_stand.ts";
import { announce, COMMAND, encodeFrame, LONG, MORE } from "./models/frame_model.ts";

const KEY = pattern(32, 8);
const LAST_NONCE = 2n ** 64n - 1n;
const stand = new CurveStand(1 << 16);

function frame(size: number, flags = 0): Plain {
  return { flags, body: pattern(size, 31) };
}

/** A sealed frame with this nonce. */
function sealed(nonce: bigint, size = 20): Uint8Array {
  return sealFrame(KEY, FROM_SERVER, nonce, frame(size));
}

describe("A sealed frame", () => {
  it("is refused when one bit of its body was changed, and nothing of it is opened", () => {
    // The last one has the stream to itself.
    for (
      const [size, step] of [[0, 1], [9, 1], [100, 1], [223, 1], [480, 1], [600, 3], [2500, 9]]
    ) {
      const good = sealed(5n, 4);
      const octets = concat(good, sealed(6n, size), sealed(7n, 30));
      const plain = encodeFrames([frame(4)]);
      const header = size + CURVE_OVERHEAD > 255 ? 9 : 2;
      const start = good.length + header;
      const end = start + CURVE_OVERHEAD + size;
      for (let bit = 8 * start; bit < 8 * end; bit += step) {
        const altered = octets.slice();
        altered[bit >> 3] ^= 1 << (bit & 7);
        stand.setKeys(KEY, FROM_SERVER, 4n);
        const at = stand.free;
        stand.bytes.set(altered, at);
        const opened = stand.openAt(at, altered.length);
        const place = (bit >> 3) - start;
        const fault = place < 8 ? "name" : opened.fault === "nonce" && place < 16 ? "nonce" : "tag";
        assertEquals(opened.fault, fault, `${size} octets, bit ${bit}`);
        assertOctets(opened.plain, plain);
        assertEquals(opened.next, good.length);
        assertEquals(opened.nonce, 5n);
        if (bit % 64 < step && size > 8) {
          const rest = stand.bytes.subarray(at + plain.length, at + altered.length);
          assert(!holds(rest, frame(size).body, 8), `${size} octets, bit ${bit}: left behind`);
        }
      }
    }
  });

  it("is refused unless its nonce is higher than the last one, by however much", () => {
    const cases: [last: bigint, nonce: bigint, fault: string | undefined][] = [
      [0n, 0n, "nonce"],
      [0n, 1n, undefined],
      [7n, 7n, "nonce"],
      [7n, 6n, "nonce"],
      [7n, 8n, undefined],
      [7n, 1007n, undefined],
      [255n, 256n, undefined],
      [256n, 255n, "nonce"],
      [2n ** 32n - 1n, 2n ** 32n, undefined],
      [2n ** 32n, 2n ** 32n - 1n, "nonce"],
      [2n ** 63n - 1n, 2n ** 63n, undefined],
      [2n ** 63n, 2n ** 63n - 1n, "nonce"],
      [7n, LAST_NONCE, undefined],
      [LAST_NONCE - 1n, LAST_NONCE, undefined],
      [LAST_NONCE, LAST_NONCE, "nonce"],
      [LAST_NONCE, 0n, "nonce"],
    ];
    for (const [last, nonce, fault] of cases) {
      for (const size of [3, 1000]) {
        stand.setKeys(KEY, FROM_SERVER, last);
        const opened = stand.open(sealed(nonce, size));
        assertEquals(opened.fault, fault, `${nonce} after ${last}`);
        assertEquals(opened.nonce, fault === undefined ? nonce : last);
      }
    }
  });

  it("is refused when it comes again, in one call and in the next", () => {
    for (const size of [3, 1000, 3000]) {
      stand.setKeys(KEY, FROM_SERVER, 0n);
      const once = concat(sealed(1n, size), sealed(2n, size));
      const opened = stand.open(concat(once, sealed(2n, size), sealed(3n, size)));
      assertEquals([opened.fault, opened.next, opened.nonce], ["nonce", once.length, 2n]);
      assertEquals(stand.open(sealed(1n, size)).fault, "nonce");
      assertEquals(stand.open(sealed(3n, size)).fault, undefined);
    }
  });

  it("has the flags 00, 02, 04 or 06 outside", () => {
    const text = concat(Uint8Array.of(0), pattern(40));
    const body = sealText(KEY, FROM_SERVER, 2n, text);
    for (let flags = 0; flags < 256; flags++) {
      // Long flags have the long header, even where the body is short.
      const header = flags & LONG
        ? Uint8Array.from([flags, 0, 0, 0, 0, 0, 0, 0, body.length])
        : Uint8Array.of(flags, body.length);
      stand.setKeys(KEY, FROM_SERVER, 1n);
      const opened = stand.open(concat(header, body));
      assertEquals(opened.fault, flags & ~(LONG | COMMAND) ? "flags" : undefined, `${flags}`);
      if (opened.fault !== undefined) continue;
      assertOctets(opened.plain, encodeFrame(0, text.subarray(1)), `flags ${flags}`);
    }
  });

  it("is refused for its flags as soon as there is more than these", () => {
    for (const flags of [1, 3, 5, 7, 8, 10, 128, 255]) {
      stand.setKeys(KEY, FROM_SERVER, 1n);
      for (let size = 2; size < 9; size++) {
        const octets = concat(Uint8Array.of(flags), new Uint8Array(size - 1));
        assertEquals(stand.open(octets).fault, "flags", `${size} octets, flags ${flags}`);
      }
    }
  });

  it("CURVE-MSG-05: has 0 to 3 as its flags inside, which become those of the plain frame", () => {
    const outside = [0, MORE, COMMAND, COMMAND | MORE];
    for (const size of [20, 700]) {
      for (let inner = 0; inner < 256; inner++) {
        stand.setKeys(KEY, FROM_SERVER, 1n);
        const text = concat(Uint8Array.of(inner), pattern(size));
        const opened = stand.open(encodeFrame(0, sealText(KEY, FROM_SERVER, 2n, text)));
        assertEquals(opened.fault, inner > 3 ? "inner" : undefined, `${inner}`);
        assertEquals(opened.nonce, inner > 3 ? 1n : 2n);
        const plain = inner > 3 ? [] : [{ flags: outside[inner], body: pattern(size) }];
        assertOctets(opened.plain, encodeFrames(plain));
      }
    }
  });

  it("is refused above the limit, by its header alone", () => {
    for (const limit of [0, 1, 100, 222, 223, 1000, 70_000]) {
      for (const [size, fault] of [[limit, undefined], [limit + 1, "size"]] as const) {
        const whole = size + CURVE_OVERHEAD;
        const header = whole > 255 ? announce(0, BigInt(whole)) : Uint8Array.of(0, whole);
        stand.setKeys(KEY, FROM_SERVER, 1n);
        const opened = stand.open(header, limit);
        assertEquals(opened.fault, fault, `${size} octets where ${limit} are allowed`);
        if (fault === undefined) assertEquals(opened.need, header.length + whole);
      }
      if (limit > 1000) continue;
      stand.setKeys(KEY, FROM_SERVER, 1n);
      assertEquals(stand.open(sealed(2n, limit), limit).fault, undefined);
    }
  });

  it("is refused above 2^31-1 octets without a limit", () => {
    const most = 2n ** 31n - 1n;
    for (const limit of [-1, 2 ** 31, 2 ** 31 - 1, 2 ** 31 - 33, 2 ** 53]) {
      for (const size of [most, most + 1n, 2n ** 32n + 40n, 2n ** 63n, 2n ** 64n - 1n]) {
        stand.setKeys(KEY, FROM_SERVER, 1n);
        const opened = stand.open(announce(0, size), limit);
        assertEquals(opened.fault, size > most ? "size" : undefined, `${size}, limit ${limit}`);
        if (size === most) assertEquals(opened.need >>> 0, 2 ** 31 + 8);
      }
    }
  });

  it("is refused when it is no MESSAGE, or too short to be one", () => {
    const name = sealed(2n).subarray(2, 10);
    for (let size = 0; size < 60; size++) {
      stand.setKeys(KEY, FROM_SERVER, 1n);
      const body = concat(name, new Uint8Array(60)).subarray(0, size);
      const fault = size < 8 ? "name" : size < CURVE_OVERHEAD ? "short" : "nonce";
      assertEquals(stand.open(encodeFrame(0, body)).fault, fault, `${size} octets`);
    }
    for (const other of ["\x04PING", "\x05READY", "\x05ERROR", "\x07MESSAGF", "\x06MESSAGE", ""]) {
      const body = concat(new TextEncoder().encode(other), new Uint8Array(60));
      assertEquals(stand.open(encodeFrame(COMMAND, body)).fault, "name", other);
    }
    assertEquals(stand.open(encodeFrame(0, pattern(5))).fault, "name");
  });

  it("may be cut at every octet", () => {
    const frames = [frame(0), frame(7, MORE), frame(250, COMMAND), frame(600), frame(3)];
    const octets = sealFrames(KEY, FROM_SERVER, 1n, frames);
    for (let cut = 0; cut <= octets.length; cut++) {
      stand.setKeys(KEY, FROM_SERVER, 0n);
      const first = stand.open(octets.subarray(0, cut));
      const expected = openFrames(KEY, FROM_SERVER, 0n, octets.subarray(0, cut), -1);
      assertEquals(first, expected, `cut at ${cut}`);
      if (first.need > 0) assertEquals(stand.word(CURVE_FLAGS), octets[first.next]);
      const rest = stand.open(octets.subarray(first.next));
      assertOctets(concat(first.plain, rest.plain), encodeFrames(frames), `cut at ${cut}`);
    }
  });

  it("may end where the memory ends", () => {
    for (let size = 0; size <= 600; size++) {
      const frames = [frame(3), frame(size)];
      const octets = sealFrames(KEY, FROM_SERVER, 1n, frames);
      stand.setKeys(KEY, FROM_SERVER, 0n);
      const opened = stand.openAt(stand.atEnd(octets), octets.length);
      assertOctets(opened.plain, encodeFrames(frames), `${size} octets`);
      // Any part of it may as well.
      for (const part of [1, 2, 5, octets.length - 1]) {
        stand.setKeys(KEY, FROM_SERVER, 0n);
        assertEquals(stand.openAt(stand.atEnd(octets.subarray(0, part)), part).fault, undefined);
      }
    }
  });
});
