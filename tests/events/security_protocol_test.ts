// handshake:error:protocol where two sockets do not agree about security: other mechanisms, other roles, other keys.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { curveKeyPair, ProtocolError } from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { codeOf, plain } from "../_util/event_log.ts";
import { describeOver } from "../_util/transports.ts";
import {
  CLIENT_KEYS,
  MECHANISM_NAMES,
  type MechanismName,
  SERVER_KEYS,
  SIDES,
} from "../_util/zap_mechanisms.ts";
import { assertLetIn, ZapStage } from "../_util/zap_stage.ts";

const PROTOCOL = "handshake:error:protocol";
const OTHER = "handshake:error:other";
const MISMATCH = "ERR_ZMTP_MECHANISM_MISMATCH";
const stage = new ZapStage();

/** All pairs of mechanisms that differ. */
const UNEQUAL: readonly (readonly [MechanismName, MechanismName])[] = MECHANISM_NAMES.flatMap((
  one,
) => MECHANISM_NAMES.filter((other) => other !== one).map((other) => [one, other] as const));

describeOver(SYSTEM_TRANSPORTS, "sockets of unequal mechanisms", (transport) => {
  afterEach(() => stage.clear());

  for (const [ofServer, ofClient] of UNEQUAL) {
    it(`both tell so, and part for good: ${ofServer} and ${ofClient}`, async () => {
      const handler = await stage.handler();
      const server = await stage.asking(transport, ofServer);
      const client = stage.coming(server.address, ofClient, { reconnectInterval: 1 });
      await client.log.isExactly("connect:delay", "connect", PROTOCOL, "disconnect");
      await server.log.isExactly("bind", "accept", PROTOCOL, "disconnect");
      const { address } = server;
      const { peerAddress } = server.log.of("accept")[0];
      const told = { type: PROTOCOL, address, error: MISMATCH };
      assertEquals(plain(client.log.of(PROTOCOL)[0]), { ...told, peerAddress: address });
      assertEquals(plain(server.log.of(PROTOCOL)[0]), { ...told, peerAddress });
      for (const { log } of [server, client]) {
        const { error } = log.of(PROTOCOL)[0];
        assertInstanceOf(error, ProtocolError);
        for (const name of [ofServer, ofClient]) assert(error.message.includes(name));
      }
      // The server goes on for those who do as it does.
      await assertLetIn(stage.coming(address, ofServer), server);
      assertEquals(handler.requests.length, 1, "nobody was asked about the other one");
      assertEquals(client.log.of("connect:retry"), []);
    });
  }
});

describeOver(SYSTEM_TRANSPORTS, "sockets of one mechanism and one role", (transport) => {
  afterEach(() => stage.clear());

  for (const mechanism of ["PLAIN", "CURVE"] as const) {
    it(`part as protocol errors: two servers of ${mechanism}`, async () => {
      await stage.handler();
      const server = await stage.asking(transport, mechanism);
      const other = stage.client(server.address, SIDES[mechanism].server);
      await Promise.all([server, other].map(({ log }) => log.next(PROTOCOL)));
      await other.log.next("disconnect");
      assertEquals([server, other].flatMap(({ log }) => log.of("handshake")), []);
      await assertLetIn(stage.coming(server.address, mechanism), server);
    });

    it(`part as protocol errors: two clients of ${mechanism}`, async () => {
      const server = await stage.server(transport, SIDES[mechanism].client);
      const other = stage.coming(server.address, mechanism);
      // Both say HELLO; whoever is faster to read it ends the connection for both.
      await Promise.all([server, other].map(({ log }) => log.next("disconnect")));
      const codes = [server, other].flatMap(({ log }) => log.of(PROTOCOL)).map(codeOf);
      assert(codes.length > 0);
      for (const code of codes) assertEquals(code, "ERR_ZMTP_UNEXPECTED_COMMAND");
      assertEquals([server, other].flatMap(({ log }) => log.of("handshake")), []);
    });
  }
});

describeOver(SYSTEM_TRANSPORTS, "a CURVE client with another server's key", (transport) => {
  afterEach(() => stage.clear());

  it("is no client to this one, which says so; the client learns nothing and comes again", async () => {
    const handler = await stage.handler();
    const server = await stage.asking(transport, "CURVE");
    const client = stage.client(server.address, {
      curveServerKey: curveKeyPair().publicKey,
      curveSecretKey: CLIENT_KEYS.secretKey,
    });
    const event = await server.log.next(PROTOCOL);
    assertEquals(codeOf(event), "ERR_ZMTP_CRYPTOGRAPHIC");
    assertInstanceOf(event.error, ProtocolError);
    await client.log.next(OTHER);
    await client.log.next("connect:retry");
    await server.log.nth(PROTOCOL, 2);
    assertEquals(handler.requests, [], "nobody is asked about who cannot be known");
    assertEquals(client.log.of("handshake:error:auth"), []);
    assertEquals([server, client].flatMap(({ log }) => log.of("handshake")), []);
  });

  it("has come to the right one when the server has that key", async () => {
    const server = await stage.server(transport, SIDES.CURVE.server);
    const client = stage.coming(server.address, "CURVE");
    await assertLetIn(client, server);
    assertEquals(server.log.types, ["bind", "accept", "handshake"]);
    assertEquals(client.log.types, ["connect:delay", "connect", "handshake"]);
  });
});

describe("a handshake of CURVE that is right", () => {
  afterEach(() => stage.clear());

  it("does without a public key that follows from the secret one", async () => {
    const server = await stage.server("tcp", {
      ...SIDES.CURVE.server,
      curvePublicKey: SERVER_KEYS.publicKey,
    });
    const client = stage.client(server.address, {
      curveServerKey: SERVER_KEYS.publicKey,
      curveSecretKey: CLIENT_KEYS.secretKey,
    });
    await assertLetIn(client, server);
  });
});
