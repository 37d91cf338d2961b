// Long frames of CURVE: they are opened in pieces and in place, whatever way they arrive, and are delivered whole or not at
// all.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CurveKeys } from "../../src/core/curve_keys.ts";
import { CoreMemory } from "../../src/core/memory.ts";
import { Opener } from "../../src/core/opener.ts";
import { textOf } from "../_util/bytes.ts";
import { framed, INNER_MORE, messageFrame } from "../_util/curve_commands.ts";
import { assertFault, receiving } from "../_util/curve_faults.ts";
import { CurveClient } from "../_util/curve_oracle.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { failure } from "../_util/rejection.ts";

const CRYPTOGRAPHIC = "ERR_ZMTP_CRYPTOGRAPHIC";
const SEQUENCE = "ERR_ZMTP_INVALID_SEQUENCE";
const ROLES = ["server", "client"] as const;
const KB = 1024;
/** Sizes about the places where frames are treated in another way. */
const SIZES = [
  ...[
    222,
    223,
    255,
    256,
    479,
    480,
    481,
    511,
    512,
    2_015,
    2_016,
    2_047,
    2_048,
    4_000,
    4_063,
    4_064,
    8_000,
  ],
  ...[16 * KB - 33, 16 * KB, 32 * KB, 64 * KB - 34, 64 * KB - 33, 64 * KB, 64 * KB + 1],
  ...[100_000, 128 * KB, 256 * KB - 50, 256 * KB, 300_000, 1024 * KB, 1024 * KB + 9, 2048 * KB],
];
const PIECES: Readonly<Record<string, readonly number[]>> = {
  "in one read": [Infinity],
  "octet by octet at both ends": [...Array<number>(300).fill(1), Infinity],
  "in odd pieces": [1, 8, 33, 41, 4_095, 4_097, 65_535, 17],
  "in reads of 1 460 octets": [1_460],
  "in reads of 64 kB": [64 * KB],
};

describe("a long MESSAGE", () => {
  for (const [way, pieces] of Object.entries(PIECES)) {
    it(`of any size is delivered when it comes ${way}`, () => {
      for (const role of ROLES) {
        receiving((receiver) => {
          const { peer } = receiver;
          const bodies = SIZES.map((size) => pattern(size));
          const octets = concat(
            ...bodies.map((body) => peer.send(body)),
            peer.send("short", pattern(100_000), pattern(3)),
            peer.send("end"),
          );
          receiver.readPieces(octets, pieces);
          assertEquals(receiver.fault, undefined);
          assertMessages(receiver.messages.slice(0, SIZES.length), bodies.map((body) => [body]));
          assertMessages(receiver.messages.slice(-2), [
            [new TextEncoder().encode("short"), pattern(100_000), pattern(3)],
            [new TextEncoder().encode("end")],
          ]);
        }, { role });
      }
    });

    it(`is refused when its last octet was altered and it comes ${way}`, () => {
      for (const size of SIZES) {
        receiving((receiver) => {
          const { peer } = receiver;
          const [before, altered] = [peer.send("before"), peer.send(pattern(size))];
          altered[altered.length - 1] ^= 0x01;
          receiver.readPieces(concat(before, altered, peer.send("after")), pieces);
          assertFault(receiver, CRYPTOGRAPHIC);
          assertEquals(receiver.messages.map(([body]) => textOf(body)), ["before"]);
          assertEquals(receiver.commands, []);
        });
      }
    });
  }

  it("that does not open is wiped where it was", () => {
    const { outboxes: core } = new CoreMemory();
    const keys = new CurveKeys(core, new Uint8Array(32).fill(7), true, { next: 1n, last: 0n });
    const peer = new CurveClient({ serverKey: new Uint8Array(32).fill(9), nonce: 1n });
    peer.key = new Uint8Array(32).fill(7);
    const room = 64 * KB;
    const at = core.exports.alloc(room);
    core.refresh();
    const sealed = peer.send(pattern(100_000));
    const opened = new Opener(keys, -1).openLong(core, at, room, sealed.slice());
    assertOctets(opened.subarray(9), pattern(100_000));
    const altered = peer.send(pattern(100_000));
    altered[altered.length - 1] ^= 1;
    failure(() => new Opener(keys, -1).openLong(core, at, room, altered), CRYPTOGRAPHIC);
    assertOctets(altered, new Uint8Array(altered.length));
  });

  it("of 70 000 octets may come octet by octet", () => {
    receiving((receiver) => {
      const body = pattern(70_000);
      receiver.read(concat(receiver.peer.send(body, body), receiver.peer.send("end")), 1);
      assertEquals(receiver.fault, undefined);
      assertMessages(receiver.messages.slice(0, 1), [[body, body]]);
      assertEquals(receiver.messages.length, 2);
    });
  });

  it("is refused wherever it was altered", () => {
    for (const size of [300, 5_000, 70_000]) {
      receiving(({ peer }) => {
        const sealed = peer.send(pattern(size));
        // Every octet of its head and tail, and some between.
        const places = [
          ...Array.from({ length: 60 }, (_, i) => 9 + i),
          ...Array.from({ length: 60 }, (_, i) => sealed.length - 1 - i),
          ...Array.from({ length: 40 }, (_, i) => 69 + Math.floor(i * (size - 100) / 40)),
        ];
        for (const at of places) {
          for (const pieces of [[Infinity], [1_000]]) {
            receiving((receiver) => {
              const altered = sealed.slice();
              altered[at] ^= 0x10;
              receiver.readPieces(altered, pieces);
              const code = at < 17
                ? "ERR_ZMTP_UNEXPECTED_COMMAND"
                : at === 24 && altered[at] <= 2
                ? SEQUENCE
                : CRYPTOGRAPHIC;
              assertFault(receiver, code);
              assertEquals(receiver.messages, []);
            });
          }
        }
      });
    }
  });

  it("is refused when a part of it is left out, doubled or moved", () => {
    const size = 100_000;
    const changes: Readonly<Record<string, (sealed: Uint8Array) => Uint8Array>> = {
      "left out": (sealed) => concat(sealed.subarray(0, 50_000), sealed.subarray(50_064)),
      "doubled": (sealed) => concat(sealed.subarray(0, 50_000), sealed.subarray(49_936)),
      "moved": (sealed) =>
        concat(
          sealed.subarray(0, 1_024),
          sealed.subarray(2_048, 3_072),
          sealed.subarray(1_024, 2_048),
          sealed.subarray(3_072),
        ),
    };
    for (const [what, change] of Object.entries(changes)) {
      for (const pieces of Object.values(PIECES)) {
        receiving((receiver) => {
          receiver.readPieces(messageFrame(change(receiver.peer.message(pattern(size)))), pieces);
          assertFault(receiver, CRYPTOGRAPHIC);
          assertEquals(receiver.messages, [], what);
        });
      }
    }
  });

  it("is refused the second time", () => {
    for (const size of [5_000, 70_000, 1_000_000]) {
      for (const pieces of Object.values(PIECES)) {
        receiving((receiver) => {
          const sealed = receiver.peer.send(pattern(size));
          receiver.readPieces(concat(sealed, sealed), pieces);
          assertFault(receiver, SEQUENCE);
          assertMessages(receiver.messages, [[pattern(size)]]);
        });
      }
    }
  });

  it("behind the end of which nothing comes is not delivered, nor is what went before it", () => {
    for (const size of [300, 5_000, 70_000, 1_000_000]) {
      receiving((receiver) => {
        const { peer } = receiver;
        receiver.read(messageFrame(peer.message("first", INNER_MORE)));
        receiver.read(messageFrame(peer.message(pattern(size))).subarray(0, -1), 10_000);
        assertEquals([receiver.fault, receiver.messages.length], [undefined, 0]);
      });
    }
  });

  it("may follow another, and short ones may come between", () => {
    for (const pieces of Object.values(PIECES)) {
      receiving((receiver) => {
        const { peer } = receiver;
        const bodies = Array.from({ length: 40 }, (_, i) => pattern([80_000, 3, 400][i % 3], i));
        receiver.readPieces(concat(...bodies.map((body) => peer.send(body))), pieces);
        assertEquals(receiver.fault, undefined);
        assertMessages(receiver.messages, bodies.map((body) => [body]));
      });
    }
  });
});

describe("maxMessageSize", () => {
  for (const limit of [0, 1, 10, 222, 223, 255, 256, 1_000, 100_000]) {
    it(`of ${limit} counts the body as it is in clear`, () => {
      for (const pieces of [[Infinity], [1], [1_000]]) {
        for (const flags of [0, 4]) {
          receiving((receiver) => {
            const { peer } = receiver;
            const [most, above] = [limit, limit + 1].map((size) =>
              framed(peer.message(pattern(size)), flags)
            );
            receiver.readPieces(concat(most, above), pieces);
            assertFault(receiver, "EMSGSIZE", new RegExp(`${limit + 1} octets.*the ${limit} `));
            assertMessages(receiver.messages, [[pattern(limit)]]);
          }, { limit });
        }
      }
    });
  }

  it("is looked at as soon as a frame is announced", () => {
    receiving((receiver) => {
      receiver.read(receiver.peer.send(pattern(100_001)).subarray(0, 9));
      assertFault(receiver, "EMSGSIZE", /100001 octets.*maxMessageSize/);
    }, { limit: 100_000 });
  });

  it("does not count the frames of a message together", () => {
    receiving((receiver) => {
      receiver.read(receiver.peer.send(pattern(1_000), pattern(1_000), pattern(1_000)));
      assertEquals([receiver.fault, receiver.messages.length], [undefined, 1]);
    }, { limit: 1_000 });
  });
});
