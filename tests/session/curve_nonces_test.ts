// The nonces of MESSAGE commands: nothing is taken twice or out of order.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { textOf } from "../_util/bytes.ts";
import { commandFrame, messageFrame } from "../_util/curve_commands.ts";
import { deliver } from "../_util/curve_session.ts";
import { initiated, welcomed } from "../_util/curve_middle.ts";
import { assertBreaks, assertFault, receiving } from "../_util/curve_faults.ts";
import { concat } from "../_util/octets.ts";

const SEQUENCE = "ERR_ZMTP_INVALID_SEQUENCE";
const CRYPTOGRAPHIC = "ERR_ZMTP_CRYPTOGRAPHIC";
const MOST = 2n ** 64n - 1n;

describe("the nonce of a MESSAGE", () => {
  it("CURVE-NONCE-05, CURVE-NONCE-09: may be any above the last one", () => {
    receiving((receiver) => {
      const nonces = [3n, 4n, 5n, 1_000n, 1_001n, 2n ** 32n, 2n ** 53n + 1n, MOST - 1n, MOST];
      for (const nonce of nonces) {
        receiver.read(messageFrame(receiver.peer.message(String(nonce), 0, { nonce })));
      }
      assertEquals(receiver.fault, undefined);
      assertEquals(receiver.messages.map(([body]) => BigInt(textOf(body))), nonces);
    });
  });

  const falls = [
    [3n, 3n],
    [4n, 3n],
    [1_000n, 999n],
    [2n ** 32n, 2n ** 32n - 1n],
    [2n ** 32n, 1n],
    [2n ** 32n + 5n, 5n],
    [2n ** 63n, 2n ** 63n - 1n],
    [2n ** 53n + 1n, 2n ** 53n],
    [MOST, MOST],
    [MOST, 0n],
    [MOST, 3n],
  ] as const;
  for (const [first, second] of falls) {
    it(`CURVE-NONCE-04, CURVE-NONCE-09: must not be ${second} after ${first}`, () => {
      assertBreaks(
        ({ peer }) =>
          concat(
            messageFrame(peer.message("first", 0, { nonce: first })),
            messageFrame(peer.message("second", 0, { nonce: second })),
          ),
        SEQUENCE,
        [["first"]],
      );
    });
  }

  it("must be above that of the handshake", () => {
    for (const nonce of [0n, 1n, 2n]) {
      assertBreaks(({ peer }) => messageFrame(peer.message("x", 0, { nonce })), SEQUENCE);
    }
  });

  it("CURVE-NONCE-06: must be above that of the INITIATE that was sent, or of the READY", async () => {
    for (const nonce of [2n, 7n, 2n ** 40n]) {
      for (const role of ["server", "client"] as const) {
        for (const [next, code] of [[nonce + 1n, undefined], [nonce, SEQUENCE]] as const) {
          const [session, party] = role === "server" ? await welcomed() : await initiated();
          const body = "initiate" in party ? party.initiate({ nonce }) : party.ready({ nonce });
          await deliver(session, commandFrame(body));
          assertEquals(session.state, "traffic");
          receiving((receiver) => {
            receiver.read(messageFrame(party.message("x", 0, { nonce: next })));
            assertEquals(receiver.fault?.code, code);
          }, { role, keys: session.keys });
        }
      }
    }
  });

  it("CURVE-NONCE-04: must rise when frames are repeated or change places, however they are read", () => {
    const texts = ["a", "b", "c", "d"];
    for (const size of [Infinity, 1]) {
      receiving((receiver) => {
        const [a, b, c, d] = texts.map((text) => receiver.peer.send(text));
        receiver.read(concat(a, c, b, d), size);
        assertFault(receiver, SEQUENCE, /nonce/);
        assertEquals(receiver.messages.map(([body]) => textOf(body)), ["a", "c"]);
      });
      receiving((receiver) => {
        const [a, b] = texts.map((text) => receiver.peer.send(text));
        receiver.read(concat(a, b, a), size);
        assertFault(receiver, SEQUENCE);
        assertEquals(receiver.messages.map(([body]) => textOf(body)), ["a", "b"]);
      });
    }
  });

  it("CURVE-NONCE-05: may leave out frames: what was lost on the way is not noticed here", () => {
    receiving((receiver) => {
      const [a, , c] = ["a", "b", "c"].map((text) => receiver.peer.send(text));
      receiver.read(concat(a, c));
      assertEquals(receiver.messages.map(([body]) => textOf(body)), ["a", "c"]);
    });
  });

  it("CURVE-NONCE-07: does not advance with a frame that does not open", () => {
    // The link ends with it all the same: this keeps the fault what it is, not a complaint about the nonce.
    assertBreaks(({ peer }) => {
      const altered = peer.message("x", 0, { nonce: MOST });
      altered[20] ^= 1;
      return concat(messageFrame(altered), peer.send("y"));
    }, CRYPTOGRAPHIC);
  });
});
