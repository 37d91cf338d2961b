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
  it("CURVE-WELCOME-01: takes a WELCOME of 168 octets only", async () => {
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

  it("CURVE-SEQ-03, CURVE-WELCOME-01, CURVE-WELCOME-03: refuses a WELCOME of or for another", async () => {
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

  it("CURVE-INIT-01: brings back whatever cookie it was given", async () => {
    const [session, server] = await helloed();
    const cookie = random(96);
    const initiate = bodyOf(await deliver(session, commandFrame(server.welcome({ cookie }))));
    assertEquals(toHex(initiate.subarray(9, 105)), toHex(cookie));
    session.end();
  });

  it("CURVE-SEQ-01, CURVE-SEQ-04, CURVE-SEQ-05: refuses commands out of turn", async () => {
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

  it("CURVE-READY-01, CURVE-READY-02: refuses a READY too short, cut or longer than sealed", async () => {
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

  it("CURVE-NONCE-05: takes a READY with any nonce and without properties", async () => {
    for (const nonce of [0n, 1n, 2n ** 64n - 1n]) {
      const [session, server] = await initiated();
      await deliver(session, commandFrame(server.ready({ nonce, metadata: new Uint8Array(0) })));
      assertEquals(session.state, "traffic");
      session.end();
    }
  });

  it("CURVE-ERR-03, CURVE-READY-03: never says ERROR, not even to a wrong socket type", async () => {
    const [session, server] = await initiated();
    const metadata = properties(["Socket-Type", "PUB"]);
    await assertBroken(session, commandFrame(server.ready({ metadata })), METADATA, /PUB/);
  });

  it("CURVE-SEQ-02, CURVE-ERR-01, CURVE-ERR-04: is told by ERROR, before or after WELCOME", async () => {
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
    const body = errorBody("no\r\n12:00 admin let in\x1b[2J\0\x7f????");
    // As octets, these are commands to a terminal too, and an end of a line.
    body.set([0x9b, 0x9d, 0x90, 0x85], body.length - 4);
    const error = await deliver(session, commandFrame(body)).catch((e) => e);
    assertEquals(/\p{Cc}/u.test(error.message), false, JSON.stringify(error.message));
    assertMatch(error.message, /admin let in/);
    session.end();
  });
});
