// What a CURVE client refuses: commands that are whole and sealed with the right keys, and yet of the wrong size, out of turn,
// or from somebody else.

import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { toHex } from "../_util/bytes.ts";
import {
  commandFrame,
  errorBody,
  framed,
  keyPair,
  named,
  properties,
  random,
} from "../_util/curve_commands.ts";
import { assertBroken, bodyOf, helloed, initiated } from "../_util/curve_middle.ts";
import { CurveServer } from "../_util/curve_oracle.ts";
import { deliver } from "../_util/curve_session.ts";
import { HANDSHAKE } from "../_util/curve_vectors.ts";
import { concat } from "../_util/octets.ts";

const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const CRYPTOGRAPHIC = "ERR_ZMTP_CRYPTOGRAPHIC";
const METADATA = "ERR_ZMTP_INVALID_METADATA";
const malformed = (name: string): string => `ERR_ZMTP_MALFORMED_COMMAND_${name}`;

const [HELLO, WELCOME, INITIATE, READY] = HANDSHAKE.map(({ frame }) => frame);

describe("a CURVE client", () => {
  it("takes a WELCOME of 168 octets only", async () => {
    for (const size of [8, 24, 40, 167]) {
      const [session, server] = await helloed();
      const frame = commandFrame(server.welcome().subarray(0, size));
      await assertBroken(session, frame, malformed("WELCOME"), new RegExp(`${size} octets.*168`));
    }
    for (const more of [1, 100]) {
      const [session, server] = await helloed();
      const frame = commandFrame(concat(server.welcome(), new Uint8Array(more)));
      await assertBroken(session, frame, malformed("WELCOME"), /168/);
    }
  });

  it("refuses a WELCOME by another server, or for another client", async () => {
    const [session, server] = await helloed();
    const impostor = new CurveServer();
    impostor.clientTransient = server.clientTransient;
    await assertBroken(session, commandFrame(impostor.welcome()), CRYPTOGRAPHIC, /WELCOME/);
    const [other, host] = await helloed();
    host.clientTransient = keyPair().publicKey;
    await assertBroken(other, commandFrame(host.welcome()), CRYPTOGRAPHIC, /WELCOME/);
    const [third] = await helloed();
    await assertBroken(third, WELCOME, CRYPTOGRAPHIC, /WELCOME/);
  });

  it("brings back whatever cookie it was given", async () => {
    const [session, server] = await helloed();
    const cookie = random(96);
    const initiate = bodyOf(await deliver(session, commandFrame(server.welcome({ cookie }))));
    assertEquals(toHex(initiate.subarray(9, 105)), toHex(cookie));
    session.end();
  });

  it("refuses commands out of turn", async () => {
    const message = framed(concat(named("MESSAGE"), new Uint8Array(40)), 4);
    for (const frame of [READY, HELLO, INITIATE, message]) {
      const [session] = await helloed();
      await assertBroken(session, frame, UNEXPECTED, /WELCOME/);
    }
    for (const frame of [WELCOME, HELLO, INITIATE, message]) {
      const [session] = await initiated();
      await assertBroken(session, frame, UNEXPECTED, /READY/);
    }
  });

  it("refuses a READY that is too short, cut or longer than it was sealed", async () => {
    for (const size of [6, 14, 29]) {
      const [session, server] = await initiated();
      const frame = commandFrame(server.ready().subarray(0, size));
      await assertBroken(session, frame, malformed("READY"), new RegExp(`${size} octets.*30`));
    }
    const [session, server] = await initiated();
    await assertBroken(session, commandFrame(server.ready().slice(0, -1)), CRYPTOGRAPHIC, /READY/);
    const [other, host] = await initiated();
    await assertBroken(other, commandFrame(concat(host.ready(), random(1))), CRYPTOGRAPHIC);
  });

  it("takes a READY with any nonce and without properties", async () => {
    for (const nonce of [0n, 1n, 2n ** 64n - 1n]) {
      const [session, server] = await initiated();
      await deliver(session, commandFrame(server.ready({ nonce, metadata: new Uint8Array(0) })));
      assertEquals(session.state, "traffic");
      session.end();
    }
  });

  it("never says ERROR", async () => {
    const [session, server] = await initiated();
    const metadata = properties(["Socket-Type", "PUB"]);
    await assertBroken(session, commandFrame(server.ready({ metadata })), METADATA, /PUB/);
  });

  it("is told by ERROR, in place of WELCOME or READY, that it is not let in", async () => {
    for (const make of [helloed, initiated]) {
      for (const reason of ["400", "300", "500", "Invalid socket type", ""]) {
        const [session] = await make();
        const error = await deliver(session, commandFrame(errorBody(reason))).catch((e) => e);
        const status = Number(reason) || undefined;
        const code = status === undefined ? "ERR_ZMTP_UNSPECIFIED" : "EACCES";
        assertEquals([error.code, error.status, session.state], [code, status, "failed"]);
        session.end();
      }
      const [session] = await make();
      const frame = commandFrame(concat(named("ERROR"), Uint8Array.of(3, 0x34)));
      await assertBroken(session, frame, malformed("ERROR"));
    }
  });

  it("does not let the reason of an ERROR write lines of its own", async () => {
    const [session] = await helloed();
    const reason = "no\r\n12:00 admin let in\x1b[2J\0";
    const error = await deliver(session, commandFrame(errorBody(reason))).catch((e) => e);
    assertEquals(/\p{Cc}/u.test(error.message), false, JSON.stringify(error.message));
    assertMatch(error.message, /admin let in/);
    session.end();
  });
});
