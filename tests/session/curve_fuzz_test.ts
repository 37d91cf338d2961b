// A peer whose octets are changed at random on the way, in its handshake or behind it: whatever comes of it, only frames
// that it sealed are delivered, in their order, and the fault has a name.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { ProtocolError } from "../../src/errors.ts";
import { toHex } from "../_util/bytes.ts";
import { CurveLink } from "../_util/curve_link.ts";
import { CurveReceiver } from "../_util/curve_receiver.ts";
import { pause } from "../_util/deadline.ts";
import { concat, pattern } from "../_util/octets.ts";

/** A change of a run of octets: at a place between 0 and 1, so many of them. */
interface Change {
  readonly kind: "flip" | "set" | "drop" | "repeat" | "swap" | "insert";
  readonly place: number;
  readonly size: number;
  readonly value: number;
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom("flip", "set", "drop", "repeat", "swap", "insert"),
  place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  size: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 700 })),
  value: fc.integer({ min: 1, max: 255 }),
});
const changes = fc.array(change, { minLength: 1, maxLength: 3 });

function changed(octets: Uint8Array, { kind, place, size, value }: Change): Uint8Array {
  const at = Math.floor(place * octets.length);
  const [before, run, after] = [
    octets.subarray(0, at),
    octets.slice(at, at + size),
    octets.subarray(at + size),
  ];
  switch (kind) {
    case "flip":
      run[0] ^= value;
      return concat(before, run, after);
    case "set":
      return concat(before, run.fill(value), after);
    case "drop":
      return concat(before, after);
    case "repeat":
      return concat(before, run, run, after);
    case "swap":
      return concat(before, after.subarray(0, size), run, after.subarray(size));
    case "insert":
      return concat(before, new Uint8Array(size).fill(value), run, after);
  }
}

/** True when these messages are some of the others, in their order. */
function isPart(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const one of whole) if (at < part.length && part[at] === one) at++;
  return at === part.length;
}

const nameOf = (frames: readonly Uint8Array[]): string => frames.map(toHex).join(" ");

describe("octets of a CURVE peer that were changed at random", () => {
  it("in its messages deliver nothing that it did not say", () => {
    const sizes = fc.array(fc.constantFrom(0, 1, 30, 222, 223, 480, 3_000, 70_000), {
      minLength: 1,
      maxLength: 12,
    });
    const pieces = fc.array(fc.constantFrom(1, 7, 100, 5_000, Infinity), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(sizes, changes, pieces, (sizes, changes, pieces) => {
        const receiver = new CurveReceiver();
        try {
          const sent = sizes.map((size, i) =>
            i % 3 === 0 ? [pattern(size, i), pattern(3)] : [pattern(size, i)]
          );
          const genuine = concat(...sent.map((frames) => receiver.peer.send(...frames)));
          receiver.readPieces(changes.reduce(changed, genuine), pieces);
          const { fault, messages, commands } = receiver;
          // Frames that are lost as a whole are not noticed: nonces may leave out some.
          assert(isPart(messages.flat().map(toHex), sent.flat().map(toHex)));
          assertEquals(commands, []);
          assert(fault === undefined || fault instanceof ProtocolError, String(fault));
        } finally {
          receiver.free();
        }
      }),
      { numRuns: 250 },
    );
  });

  it("in its handshake let it in only with the keys it has", async () => {
    await fc.assert(
      fc.asyncProperty(changes, fc.constantFrom(1, 63, 1_024), async (changes, piece) => {
        const stand = new CurveLink();
        const genuine = stand.peerHandshake;
        const octets = changes.reduce(changed, genuine);
        stand.link.start();
        stand.stream.deliver(concat(octets, stand.peer.send("first")), piece);
        for (let i = 0; i < 3; i++) await pause(0);
        assert(
          stand.error === undefined || stand.error instanceof ProtocolError,
          String(stand.error),
        );
        const texts = stand.receiveAll().map(nameOf);
        assert(texts.length === 0 || texts[0] === nameOf([new TextEncoder().encode("first")]));
        // Behind the greeting each octet counts.
        const behind = 64 - genuine.length;
        const same = toHex(octets.slice(behind)) === toHex(genuine.slice(behind));
        assert(same || texts.length === 0, toHex(octets));
        stand.stream.end();
        assertEquals(stand.calls.filter((call) => call === "ended").length, 1);
        stand.pipe.dispose();
      }),
      { numRuns: 150 },
    );
  });
});
