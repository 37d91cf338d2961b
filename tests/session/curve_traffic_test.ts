// What may come in a CURVE connection after its handshake: MESSAGE commands with messages and commands inside, and nothing in
// clear.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { COMMAND_LIMIT } from "../../wasm/layout.ts";
import { assertFrames, textOf, utf8 } from "../_util/bytes.ts";
import { INNER_COMMAND, INNER_MORE, messageFrame } from "../_util/curve_commands.ts";
import { assertBreaks, assertFault, receiving } from "../_util/curve_faults.ts";
import { concat, pattern } from "../_util/octets.ts";
import { command, frame, longHeader, ping } from "../_util/raw_zmtp.ts";

const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const CRYPTOGRAPHIC = "ERR_ZMTP_CRYPTOGRAPHIC";
const FLAGS = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";
const MOST = 2n ** 64n - 1n;

describe("in a CURVE connection", () => {
  const clear: Readonly<Record<string, Uint8Array>> = {
    "an empty frame": frame(""),
    "a frame": frame("in clear"),
    "a frame of the size of a MESSAGE": frame("x".repeat(60)),
    "a long frame": frame("x".repeat(1_000)),
    "a very long frame": frame("x".repeat(500_000)),
    "a PING": ping("x"),
    "a SUBSCRIBE": command("SUBSCRIBE", utf8("a")),
    "an ERROR": command("ERROR", Uint8Array.of(0)),
    "a READY": command("READY", new Uint8Array(60)),
    "a HELLO": command("HELLO", new Uint8Array(194)),
    "an INITIATE": command("INITIATE", new Uint8Array(300)),
    "a command whose name is almost MESSAGE": command("MESSAGF", new Uint8Array(60)),
    "a command whose name is longer": command("MESSAGES", new Uint8Array(60)),
    "a command in small letters": command("message", new Uint8Array(60)),
  };
  for (const [what, octets] of Object.entries(clear)) {
    it(`CURVE-MSG-08: ${what} in clear is refused`, () => {
      assertBreaks((receiver) => concat(receiver.peer.send("good"), octets), UNEXPECTED, [[
        "good",
      ]]);
    });
  }

  it("CURVE-MSG-07, CURVE-MSG-08: a frame in clear with MORE is refused", () => {
    assertBreaks(() => frame("x", true), FLAGS);
  });

  it("CURVE-MSG-04, CURVE-MSG-05: commands come inside, also between the frames of a message", () => {
    receiving((receiver) => {
      const { peer } = receiver;
      receiver.read(concat(
        peer.command("PING", "\0\0x"),
        messageFrame(peer.message("one", INNER_MORE)),
        peer.command("SUBSCRIBE", "topic"),
        peer.send("two"),
        peer.command("X", "y".repeat(1_000)),
      ));
      assertEquals(receiver.fault, undefined);
      assertFrames(receiver.messages[0], ["one", "two"]);
      assertEquals(receiver.commands.map(textOf), [
        "\x04PING\0\0x",
        "\x09SUBSCRIBEtopic",
        `\x01X${"y".repeat(1_000)}`,
      ]);
    });
  });

  it("CURVE-MSG-05: a command inside with MORE is opened, and refused as in clear", () => {
    for (const size of [0, 1_000, 3_000, 8_000]) {
      for (const piece of [Infinity, 700, 1]) {
        receiving((receiver) => {
          const body = `\x04PONG${"x".repeat(size)}`;
          const octets = messageFrame(receiver.peer.message(body, INNER_COMMAND | INNER_MORE));
          receiver.read(octets, piece);
          assertFault(receiver, FLAGS, /0x0[57]/);
          assertEquals([receiver.messages, receiver.commands], [[], []]);
        });
      }
    }
  });

  it("a command inside is as long as one in clear may be, and no longer", () => {
    for (const piece of [Infinity, 10_000, 100]) {
      receiving((receiver) => {
        receiver.read(receiver.peer.command("X", new Uint8Array(COMMAND_LIMIT - 2)), piece);
        assertEquals([receiver.fault, receiver.commands.length], [undefined, 1]);
        receiver.read(receiver.peer.command("X", new Uint8Array(COMMAND_LIMIT - 1)), piece);
        assertFault(receiver, "EMSGSIZE", new RegExp(String(COMMAND_LIMIT)));
        assertEquals(receiver.commands.length, 1);
      });
    }
  });

  it("CURVE-MSG-06: a message of which a frame does not open is not delivered in part", () => {
    for (const broken of [1, 2]) {
      for (const size of [10, 1_000, 100_000]) {
        receiving((receiver) => {
          const { peer } = receiver;
          const before = peer.send("before");
          const frames = [0, 1, 2].map((i) => {
            return messageFrame(peer.message(pattern(size), i < 2 ? INNER_MORE : 0));
          });
          frames[broken][frames[broken].length - 1] ^= 0x80;
          receiver.read(concat(before, ...frames));
          assertFault(receiver, CRYPTOGRAPHIC);
          assertEquals(receiver.messages.map((message) => message.map(textOf)), [["before"]]);
        });
      }
    }
  });

  it("CURVE-MSG-02: 2^63 octets are refused when they are announced", () => {
    for (const size of [2n ** 31n + 33n, 2n ** 63n, MOST]) {
      receiving((receiver) => {
        receiver.read(longHeader(size));
        assertFault(receiver, "EMSGSIZE");
      });
    }
  });
});
