// MESSAGE commands of CURVE as they are received: every bit of them counts, and what does not open is not delivered.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertFrames, textOf } from "../_util/bytes.ts";
import { framed, messageFrame, random } from "../_util/curve_commands.ts";
import { assertBreaks, assertFault, receiving } from "../_util/curve_faults.ts";
import type { CurveReceiver } from "../_util/curve_receiver.ts";
import { assertMessages, concat, pattern } from "../_util/octets.ts";

const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const SEQUENCE = "ERR_ZMTP_INVALID_SEQUENCE";
const CRYPTOGRAPHIC = "ERR_ZMTP_CRYPTOGRAPHIC";
const MALFORMED = "ERR_ZMTP_MALFORMED_COMMAND_MESSAGE";
const FLAGS = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";
const ROLES = ["server", "client"] as const;

describe("a MESSAGE", () => {
  for (const role of ROLES) {
    it(`CURVE-MSG-01, CURVE-MSG-02, CURVE-MSG-03: reaches a ${role} however it is cut`, () => {
      const bodies = [0, 1, 30, 31, 32, 222, 223, 255, 256, 1_000].map((size) => pattern(size));
      for (const size of [Infinity, 1, 2, 33, 64, 1_000]) {
        receiving((receiver) => {
          const { peer } = receiver;
          receiver.read(
            concat(peer.send(...bodies), ...bodies.map((body) => peer.send(body))),
            size,
          );
          assertEquals(receiver.fault, undefined);
          assertMessages(receiver.messages, [bodies, ...bodies.map((body) => [body])]);
        }, { role });
      }
    });

    it(`CURVE-MSG-01, CURVE-MSG-06: sealed by the wrong side is refused by a ${role}`, () => {
      const other = role === "server" ? "S" : "C";
      assertBreaks(
        ({ peer }) => messageFrame(peer.message("x", 0, { prefix: `CurveZMQMESSAGE${other}` })),
        CRYPTOGRAPHIC,
        [],
        { role },
      );
    });
  }

  it("CURVE-MSG-06: with any bit of its body changed is refused", () => {
    const good = (receiver: CurveReceiver): Uint8Array => receiver.peer.send("before");
    receiving(({ peer }) => {
      peer.send("");
      const body = peer.message("do not read this");
      for (let bit = 0; bit < 8 * body.length; bit++) {
        receiving((receiver) => {
          const altered = body.slice();
          altered[bit >> 3] ^= 1 << (bit & 7);
          receiver.read(concat(good(receiver), messageFrame(altered), receiver.peer.send("after")));
          const at = bit >> 3;
          const nonce = altered.subarray(8, 16).every((octet, i) =>
            octet === (i < 7 ? 0 : octet)
          ) &&
            altered[15] <= 3;
          const code = at < 8 ? UNEXPECTED : nonce ? SEQUENCE : CRYPTOGRAPHIC;
          assertFault(receiver, code);
          assertEquals(receiver.messages.map((frames) => frames.map(textOf)), [["before"]]);
        });
      }
    });
  });

  it("with any bit of its frame's header changed is refused, but for the command flag", () => {
    for (const size of [20, 300]) {
      const text = "x".repeat(size);
      const header = size > 222 ? 9 : 2;
      for (let bit = 0; bit < 8 * header; bit++) {
        receiving((receiver) => {
          const octets = receiver.peer.send(text);
          octets[bit >> 3] ^= 1 << (bit & 7);
          // What is announced is there: a frame that is never whole is as good as none.
          receiver.read(concat(octets, new Uint8Array(70_000)));
          if (bit === 2) {
            assertFrames(receiver.messages[0], [text]);
          } else if (receiver.fault === undefined) {
            assert(bit >= 8, `bit ${bit} is not noticed`);
            const announced = new DataView(octets.buffer).getBigUint64(1);
            assert(header === 9 && announced > 70_000n, `bit ${bit} is not noticed`);
            assertEquals(receiver.messages, []);
          } else {
            assertEquals(receiver.messages, []);
          }
        }, { limit: 2 ** 31 });
      }
    }
  });

  for (const flags of [0, 4]) {
    it(`CURVE-MSG-07: may have the outer flags 0${flags} and, when it is long, 0${flags + 2}`, () => {
      receiving((receiver) => {
        const long = "long".repeat(100);
        receiver.read(concat(
          framed(receiver.peer.message("short"), flags),
          framed(receiver.peer.message("in the long form"), flags, true),
          framed(receiver.peer.message(long), flags),
        ));
        assertEquals(receiver.fault, undefined);
        const texts = receiver.messages.map(([body]) => textOf(body));
        assertEquals(texts, ["short", "in the long form", long]);
      });
    });
  }

  it("CURVE-MSG-07: with other outer flags is refused, as soon as they are there", () => {
    for (let flags = 0; flags < 256; flags++) {
      if ((flags & ~6) === 0) continue;
      const says = new RegExp(`0x${flags.toString(16).padStart(2, "0")}`);
      for (const long of [false, true]) {
        const wanted = long ? flags | 2 : flags & ~2;
        if (wanted !== flags) continue;
        for (const body of ["short", "x".repeat(10_000)]) {
          if (!long && body.length > 200) continue;
          receiving((receiver) => {
            receiver.read(framed(receiver.peer.message(body), flags, long).subarray(0, 9));
            assertFault(receiver, FLAGS, says);
          });
        }
      }
    }
  });

  it("CURVE-MSG-03, CURVE-MSG-05: with unknown flags inside is refused", () => {
    for (let flags = 4; flags < 256; flags++) {
      for (const size of [1, 1_000, 3_000, 100_000]) {
        if (size > 1 && flags % 31 !== 4) continue;
        receiving((receiver) => {
          receiver.read(messageFrame(receiver.peer.message(pattern(size), flags)));
          assertFault(receiver, MALFORMED, /flags/);
          assertEquals([receiver.messages, receiver.commands], [[], []]);
        });
      }
    }
  });

  it("CURVE-MSG-01, CURVE-MSG-06: that is too short is refused", () => {
    for (let size = 0; size < 33; size++) {
      const whole = 8;
      assertBreaks(
        ({ peer }) => messageFrame(peer.message("").slice(0, size)),
        size < whole ? UNEXPECTED : MALFORMED,
      );
    }
  });

  it("CURVE-MSG-06: that is cut or has more at its end is refused", () => {
    for (const size of [1, 40, 300]) {
      const text = "x".repeat(size);
      for (const cut of [1, size]) {
        assertBreaks(({ peer }) => messageFrame(peer.message(text).slice(0, -cut)), CRYPTOGRAPHIC);
        assertBreaks(
          ({ peer }) => messageFrame(concat(peer.message(text), random(cut))),
          CRYPTOGRAPHIC,
        );
      }
    }
  });

  it("of another connection is refused", () => {
    const key = new Uint8Array(32).fill(1);
    assertBreaks(({ peer }) => messageFrame(peer.message("x", 0, { key })), CRYPTOGRAPHIC);
  });
});
