// What becomes of a client when the ZAP handler answers well, refuses, or answers what RFC 27 does not know: libzmq's
// test_security_zap with each mechanism.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  AuthenticationError,
  type MessageLike,
  metadataOf,
  ProtocolError,
  Router,
  ZmqError,
} from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { eventually } from "../_util/deadline.ts";
import { plain } from "../_util/event_log.ts";
import { describeOver } from "../_util/transports.ts";
import {
  HANDLER_TYPES,
  withStatus,
  ZAP_ENDPOINT,
  zapMetadata,
  zapReply,
  type ZapReplyParts,
  type ZapRequest,
} from "../_util/zap_handler.ts";
import { MECHANISM_NAMES, PASSWORD } from "../_util/zap_mechanisms.ts";
import {
  assertDenied,
  assertLetIn,
  type Client,
  type Server,
  ZapStage,
} from "../_util/zap_stage.ts";

const PROTOCOL = "handshake:error:protocol";
const AUTH = "handshake:error:auth";
const stage = new ZapStage();

/** An answer that is broken, and what it is called. */
type BrokenAnswer = readonly [
  answer: (request: ZapRequest) => readonly MessageLike[],
  code: string,
];

const parts = (given: ZapReplyParts) => (request: ZapRequest): MessageLike[] =>
  zapReply(request, given);

const MALFORMED = "ERR_ZAP_MALFORMED_REPLY";
const STATUS = "ERR_ZAP_INVALID_STATUS_CODE";
const METADATA = "ERR_ZAP_INVALID_METADATA";

const BROKEN_ANSWERS: Readonly<Record<string, BrokenAnswer>> = {
  "of another version": [parts({ version: "2.0" }), "ERR_ZAP_BAD_VERSION"],
  "of its version with a byte order mark": [parts({ version: "\uFEFF1.0" }), "ERR_ZAP_BAD_VERSION"],
  "of no version": [parts({ version: "" }), "ERR_ZAP_BAD_VERSION"],
  "to another request": [parts({ id: "not this one" }), "ERR_ZAP_BAD_REQUEST_ID"],
  "to no request": [parts({ id: "" }), "ERR_ZAP_BAD_REQUEST_ID"],
  "with a status that has a byte order mark": [parts({ status: "\uFEFF200" }), STATUS],
  "with the status 210": [parts({ status: "210" }), STATUS],
  "with the status 600": [parts({ status: "600" }), STATUS],
  "with a status of two digits": [parts({ status: "20" }), STATUS],
  "with a status of four digits": [parts({ status: "2000" }), STATUS],
  "with a status that is no number": [parts({ status: "yes" }), STATUS],
  "without a status": [parts({ status: "" }), STATUS],
  "of seven parts": [(request) => [...zapReply(request), ""], MALFORMED],
  "of eight parts": [(request) => [...zapReply(request), "", ""], MALFORMED],
  "of five parts": [(request) => zapReply(request).slice(0, 5), MALFORMED],
  "of one part": [() => ["1.0"], MALFORMED],
  "with a user id of 256 octets": [parts({ userId: "u".repeat(256) }), MALFORMED],
  "with metadata that end too early": [
    parts({ metadata: zapMetadata({ "X-a": "1" }).subarray(0, -1) }),
    METADATA,
  ],
  "with metadata that are just text": [parts({ metadata: "Hello: World" }), METADATA],
  "with a property without a name": [parts({ metadata: new Uint8Array(5) }), METADATA],
};

/** Those that libzmq's own test has; the others are tried with one mechanism. */
const OF_LIBZMQ = [
  "of another version",
  "to another request",
  "with the status 210",
  "of seven parts",
  "with metadata that end too early",
];

async function meeting(
  transport: string,
  mechanism: (typeof MECHANISM_NAMES)[number],
): Promise<[Server, Client]> {
  const server = await stage.asking(transport, mechanism);
  return [server, stage.coming(server.address, mechanism)];
}

describeOver(SYSTEM_TRANSPORTS, "a client", (transport) => {
  afterEach(() => stage.clear());

  for (const mechanism of MECHANISM_NAMES) {
    for (const status of [400, 500] as const) {
      it(`ZAP-X-03, CURVE-ERR-05: of ${mechanism} that is told ${status} gives up`, async () => {
        await stage.handler(withStatus(String(status)));
        const [server, client] = await meeting(transport, mechanism);
        await assertDenied(client, server, status);
        const peerAddress = server.log.of("accept")[0].peerAddress;
        const { address } = server;
        const told = { type: AUTH, address, error: "EACCES" };
        assertEquals(plain(server.log.of(AUTH)[0]), { ...told, peerAddress });
        assertEquals(plain(client.log.of(AUTH)[0]), { ...told, peerAddress: address });
        for (const { log } of [server, client]) {
          const { error } = log.of(AUTH)[0];
          assertInstanceOf(error, AuthenticationError);
          assertInstanceOf(error, ZmqError);
          const begins = status === 400 ? "Authentication failure" : "Internal error";
          assert(error.message.startsWith(begins), error.message);
          assert(!error.message.includes(PASSWORD), error.message);
        }
      });
    }

    it(`ZAP-X-03, CURVE-ERR-06: of ${mechanism} is not told of 300, and comes again`, async () => {
      let count = 0;
      await stage.handler((request) => zapReply(request, { status: count++ < 2 ? "300" : "200" }));
      const [server, client] = await meeting(transport, mechanism);
      await assertLetIn(client, server);
      assertEquals(server.log.of(AUTH).map(({ error }) => error.status), [300, 300]);
      assertEquals(client.log.of(AUTH), [], "nothing was sent to it");
      assertEquals(client.log.of("handshake:error:other").length, 2);
      assertEquals(client.log.of("connect:retry").length, 2);
      assertInstanceOf(server.log.of(AUTH)[0].error, AuthenticationError);
    });

    for (const [what, [answer, code]] of Object.entries(BROKEN_ANSWERS)) {
      if (mechanism !== "PLAIN" && !OF_LIBZMQ.includes(what)) continue;
      it(`ZAP-REP-01, ZAP-REP-02, ZAP-REP-05: of ${mechanism} is kept out by one ${what}`, async () => {
        let count = 0;
        await stage.handler((request) => count++ === 0 ? answer(request) : zapReply(request));
        const [server, client] = await meeting(transport, mechanism);
        const event = await server.log.next(PROTOCOL);
        const { peerAddress } = server.log.of("accept")[0];
        assertEquals(plain(event), {
          type: PROTOCOL,
          address: server.address,
          peerAddress,
          error: code,
        });
        assertInstanceOf(event.error, ProtocolError);
        // The client has done nothing wrong: its connection just ends.
        await assertLetIn(client, server);
        assertEquals(client.log.of("handshake:error:protocol"), []);
        assertEquals([client.log.of("connect:retry").length, count], [1, 2]);
      });
    }
  }
});

describe("an answer of a handler", () => {
  afterEach(() => stage.clear());

  for (const type of HANDLER_TYPES) {
    it(`that is a ${type} may be broken without harm to the next`, async () => {
      const broken = Object.values(BROKEN_ANSWERS).map(([answer]) => answer);
      let count = 0;
      await stage.handler(
        (request) => count < broken.length ? broken[count++](request) : zapReply(request),
        type,
      );
      const [server, client] = await meeting("tcp", "PLAIN");
      await assertLetIn(client, server);
      assertEquals(
        server.log.of(PROTOCOL).map((event) => plain(event).error),
        Object.values(BROKEN_ANSWERS).map(([, code]) => code),
      );
    });
  }

  it("may have any text, and the text is in the server's error alone", async () => {
    const text = "ask your administrator";
    await stage.handler((request) => zapReply(request, { status: "400", text }));
    const [server, client] = await meeting("tcp", "PLAIN");
    await assertDenied(client, server, 400);
    assert(server.log.of(AUTH)[0].error.message.includes(text));
    assert(!client.log.of(AUTH)[0].error.message.includes(text));
  });

  it("ZAP-REP-06: may have texts of 255 octets, and longer ones where nobody keeps them", async () => {
    const userId = "u".repeat(255);
    const handler = await stage.handler((request) =>
      zapReply(request, { userId, text: "t".repeat(1_000) })
    );
    const [server, client] = await meeting("tcp", "PLAIN");
    await client.socket.send("x");
    assertEquals(metadataOf(await server.socket.receive())!.userId, userId);
    await handler.close();
    await stage.handler((request) =>
      zapReply(request, { status: "400", text: "t".repeat(100_000) })
    );
    await assertDenied(stage.coming(server.address, "PLAIN"), server, 400);
    assert(server.log.of(AUTH)[0].error.message.length < 1_000);
  });

  it("ZAP-REP-04: that refuses counts, whatever user id and metadata it names", async () => {
    const metadata = zapMetadata({ "X-a": "1" });
    await stage.handler((request) => zapReply(request, { status: "400", userId: "me", metadata }));
    const [server, client] = await meeting("tcp", "PLAIN");
    await assertDenied(client, server, 400);
  });

  it("that comes when the client has gone is passed over", async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let count = 0;
    const handler = await stage.handler(async (request) => {
      if (count < gates.length) await gates[count++].promise;
      return zapReply(request);
    });
    const [server, client] = await meeting("tcp", "PLAIN");
    await server.log.next("accept");
    await eventually(() => handler.requests.length > 0);
    await client.socket.close();
    await server.log.next("disconnect");
    for (const { resolve } of gates) resolve();
    const other = stage.coming(server.address, "PLAIN");
    await assertLetIn(other, server);
    assertEquals(server.log.of("handshake").length, 1);
  });

  it("ZAP-REP-01: that comes twice lets in once, and is no answer to the next request", async () => {
    const context = stage.context;
    const handler = stage.cleanup.add(new Router({ context, receiveTimeout: 5_000 }));
    await handler.bind(ZAP_ENDPOINT);
    const server = await stage.asking("tcp", "PLAIN");
    const client = stage.coming(server.address, "PLAIN");
    const [routingId, , , id] = await handler.receive();
    const answer = (way: Uint8Array, to: Uint8Array): MessageLike[] =>
      [way, "", "1.0", to, "200", "OK", "", ""] as MessageLike[];
    await handler.send(answer(routingId, id));
    await handler.send(answer(routingId, id));
    await assertLetIn(client, server);
    const other = stage.client(server.address, { plainUsername: "other", plainPassword: "x" });
    const [nextWay, , , nextId] = await handler.receive();
    await handler.send(answer(routingId, nextId));
    assertEquals(other.log.of("handshake"), [], "the second answer was not for it");
    await handler.send(answer(nextWay, nextId));
    await assertLetIn(other, server);
  });
});
