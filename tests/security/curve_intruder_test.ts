// Peers that break CURVE once they are in: their link ends, the event names the rule that was broken, what does not open is not
// delivered, and the healthy peer of the same socket is served all the while.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Cleanup } from "../_util/cleanup.ts";
import { framed, INNER_COMMAND, INNER_MORE, messageFrame } from "../_util/curve_commands.ts";
import type { RawParty } from "../_util/curve_raw.ts";
import { CurveStage, type Role } from "../_util/curve_stage.ts";
import { concat } from "../_util/octets.ts";
import { command, frame, ping } from "../_util/raw_zmtp.ts";

const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const SEQUENCE = "ERR_ZMTP_INVALID_SEQUENCE";
const CRYPTOGRAPHIC = "ERR_ZMTP_CRYPTOGRAPHIC";
const malformed = (name: string): string => `ERR_ZMTP_MALFORMED_COMMAND_${name}`;

const cleanup = new Cleanup();

/** What is done to the socket, and how it has to call it. */
interface Attack {
  readonly does: (peer: RawParty) => Promise<void> | void;
  readonly code: string;
  readonly says: RegExp;
}

/** The same octets with one bit changed. */
function flipped(octets: Uint8Array, at: number, bit = 1): Uint8Array {
  const altered = octets.slice();
  altered[at < 0 ? octets.length + at : at] ^= bit;
  return altered;
}

/** What either side can do once it is in. */
const IN_TRAFFIC: Readonly<Record<string, Attack>> = {
  "alters a message": {
    does: ({ connection, party }) => connection.send(flipped(party.send("secret"), -1)),
    code: CRYPTOGRAPHIC,
    says: /./,
  },
  "alters the end of a long message": {
    does: ({ connection, party }) =>
      connection.send(flipped(party.send(new Uint8Array(500_000)), -1)),
    code: CRYPTOGRAPHIC,
    says: /./,
  },
  "alters the second frame of a message": {
    does: ({ connection, party }) => connection.send(flipped(party.send("first", "second"), -1)),
    code: CRYPTOGRAPHIC,
    says: /./,
  },
  "repeats a message's frame": {
    does: ({ connection, party }) => {
      const first = messageFrame(party.message("never ended", INNER_MORE));
      connection.send(concat(first, first));
    },
    code: SEQUENCE,
    says: /nonce/i,
  },
  "sends a frame in clear": {
    does: ({ connection }) => connection.send(frame("in clear")),
    code: UNEXPECTED,
    says: /MESSAGE/,
  },
  "sends a command in clear": {
    does: ({ connection }) => connection.send(ping("")),
    code: UNEXPECTED,
    says: /MESSAGE/,
  },
  "says ERROR": {
    does: ({ connection }) => connection.send(command("ERROR", Uint8Array.of(0))),
    code: UNEXPECTED,
    says: /MESSAGE/,
  },
  "sets the MORE flag outside": {
    does: ({ connection, party }) => connection.send(framed(party.message("x"), 1)),
    code: malformed("UNSPECIFIED"),
    says: /flags 0x01/,
  },
  "sets unknown flags inside": {
    does: ({ connection, party }) => connection.send(messageFrame(party.message("x", 4))),
    code: malformed("MESSAGE"),
    says: /flag/,
  },
  "sends a MESSAGE that is too short": {
    does: ({ connection, party }) => connection.send(messageFrame(party.message("").slice(0, -1))),
    code: malformed("MESSAGE"),
    says: /32.*33/,
  },
  "sends a command without a name inside": {
    does: ({ connection, party }) =>
      connection.send(messageFrame(party.message("", INNER_COMMAND))),
    code: malformed("UNSPECIFIED"),
    says: /name/,
  },
};

for (const role of ["server", "client"] as const) {
  describe(`a peer past its handshake with a ${role} that`, () => {
    afterEach(() => cleanup.run());

    for (const [what, { does, code, says }] of Object.entries(IN_TRAFFIC)) {
      it(`${what} is thrown out; what it sent before is delivered`, async () => {
        await playInTraffic(role, does, code, says);
      });
    }
  });
}

async function playInTraffic(
  role: Role,
  does: (peer: RawParty) => Promise<void> | void,
  code: string,
  says: RegExp,
): Promise<void> {
  const stage = await CurveStage.open(role, cleanup);
  const peer = await stage.insider();
  peer.say("good", "one");
  assertEquals((await stage.pull.receive()).map(String), ["good", "one"]);
  await stage.servedDuring((async () => {
    await does(peer);
    await peer.connection.untilClosed();
  })());
  await stage.assertVerdict("disconnect", code, says);
}
