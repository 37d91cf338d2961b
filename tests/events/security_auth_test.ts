// handshake:error:auth and what comes before and after it, on both sides: in which order, of which peer, with what.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { AuthenticationError, type EventOfType, Pull, ZmqError } from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { within } from "../_util/deadline.ts";
import { plain } from "../_util/event_log.ts";
import { describeOver } from "../_util/transports.ts";
import { letInIf, withStatus, type ZapBehaviour, zapReply } from "../_util/zap_handler.ts";
import { MECHANISM_NAMES } from "../_util/zap_mechanisms.ts";
import { assertLetIn, ZapStage } from "../_util/zap_stage.ts";

const AUTH = "handshake:error:auth";
const OTHER = "handshake:error:other";
const PROTOCOL = "handshake:error:protocol";
const stage = new ZapStage();

/** One refusal, then welcome. */
function once(refusal: ZapBehaviour): ZapBehaviour {
  let count = 0;
  return (request) => count++ === 0 ? refusal(request) : zapReply(request);
}

describeOver(SYSTEM_TRANSPORTS, "the events", (transport) => {
  afterEach(() => stage.clear());

  for (const mechanism of MECHANISM_NAMES) {
    it(`of a ${mechanism} client that is let in come in this order`, async () => {
      let serverKnew: string[] = [];
      let clientKnew: string[] = [];
      await stage.handler((request) => {
        serverKnew = [...server.log.types];
        clientKnew = client.log.types.filter((type) => type.startsWith("handshake"));
        return zapReply(request);
      });
      const server = await stage.asking(transport, mechanism);
      const client = stage.coming(server.address, mechanism);
      await assertLetIn(client, server);
      assertEquals([serverKnew, clientKnew], [["bind", "accept"], []], "before the answer");
      assertEquals(server.log.types, ["bind", "accept", "handshake"]);
      await client.log.isExactly("connect:delay", "connect", "handshake");
      await client.socket.close();
      await server.log.next("disconnect");
      assertEquals(server.log.types, ["bind", "accept", "handshake", "disconnect"]);
    });

    for (const status of [400, 500]) {
      it(`of a ${mechanism} client that is answered ${status} come in this order`, async () => {
        await stage.handler(withStatus(String(status)));
        const server = await stage.asking(transport, mechanism);
        const client = stage.coming(server.address, mechanism);
        await client.log.isExactly("connect:delay", "connect", AUTH, "disconnect");
        await server.log.isExactly("bind", "accept", AUTH, "disconnect");
        for (const { log } of [server, client]) {
          const [told] = log.of(AUTH);
          const [over] = log.of("disconnect");
          assertEquals(
            plain(over),
            { ...plain(told), type: "disconnect", routingId: "" },
            "the same error of the same peer",
          );
        }
        await client.socket.close();
        await server.socket.close();
        await Promise.all([client.log.over, server.log.over]);
        assertEquals(client.log.types.slice(4), ["end"]);
        assertEquals(server.log.types.slice(4), ["close", "end"]);
      });
    }

    it(`of a ${mechanism} client that is answered 300 come in this order`, async () => {
      await stage.handler(once(withStatus("300")));
      const server = await stage.asking(transport, mechanism);
      const client = stage.coming(server.address, mechanism);
      await client.log.isExactly(
        ...["connect:delay", "connect", OTHER, "disconnect", "connect:retry"] as const,
        ...["connect:delay", "connect", "handshake"] as const,
      );
      await server.log.isExactly("bind", "accept", AUTH, "disconnect", "accept", "handshake");
      assertEquals(server.log.of(AUTH)[0].error.status, 300);
    });

    it(`of a ${mechanism} client whose handler answers nonsense come in this order`, async () => {
      await stage.handler(once((request) => zapReply(request, { version: "9.9" })));
      const server = await stage.asking(transport, mechanism);
      const client = stage.coming(server.address, mechanism);
      await client.log.isExactly(
        ...["connect:delay", "connect", OTHER, "disconnect", "connect:retry"] as const,
        ...["connect:delay", "connect", "handshake"] as const,
      );
      await server.log.isExactly("bind", "accept", PROTOCOL, "disconnect", "accept", "handshake");
    });
  }
});

describe("handshake:error:auth", () => {
  afterEach(() => stage.clear());

  it("reaches listeners and receive as it does iterators", async () => {
    await stage.handler(withStatus("400"));
    const options = { plainServer: true, context: stage.context };
    const [listening, receiving] = [new Pull(options), new Pull(options)].map((socket) =>
      stage.cleanup.add(socket)
    );
    const heard = Promise.withResolvers<EventOfType<typeof AUTH>>();
    listening.events.on(AUTH, heard.resolve);
    const { events } = receiving;
    for (const socket of [listening, receiving]) {
      await socket.bind("tcp://127.0.0.1:*");
      stage.coming(socket.lastEndpoint!, "PLAIN");
    }
    assertEquals((await within(heard.promise, 5_000, "an event")).error.status, 400);
    const received = [];
    for (let i = 0; i < 3; i++) received.push(await within(events.receive(), 5_000, "an event"));
    assertEquals(received.map(({ type }) => type), ["bind", "accept", AUTH]);
  });

  it("has an error with its status, the code EACCES and its number", async () => {
    for (const [status, words] of [[400, "Authentication failure"], [500, "Internal error"]]) {
      const handler = await stage.handler(withStatus(String(status)));
      const server = await stage.asking("tcp", "PLAIN");
      const client = stage.coming(server.address, "PLAIN");
      for (const { log } of [server, client]) {
        const { error } = await log.next(AUTH);
        assert(saidBy(error, log === client.log));
        assertInstanceOf(error, AuthenticationError);
        assertInstanceOf(error, ZmqError);
        const { name, code, errno } = error;
        assertEquals([name, code, errno, error.status], [
          "AuthenticationError",
          "EACCES",
          13,
          status,
        ]);
        assert(error.message.startsWith(String(words)), error.message);
      }
      await handler.close();
    }
  });

  it("has the words of zeromq.js for 300, too", async () => {
    await stage.handler(withStatus("300"));
    const server = await stage.asking("tcp", "PLAIN");
    stage.coming(server.address, "PLAIN");
    const { error } = await server.log.next(AUTH);
    assert(error.message.startsWith("Temporary error"), error.message);
  });

  it("is of the peer that was refused, among many who are not", async () => {
    await stage.handler(letInIf(({ credentials }) => credentials[0][0] % 2 === 0));
    const server = await stage.asking("tcp", "PLAIN");
    const clients = Array.from({ length: 26 }, (_, i) =>
      stage.client(server.address, {
        plainUsername: String.fromCharCode(97 + i),
        plainPassword: "x",
      }));
    const ends = clients.map(async ({ log }, i) => {
      await (i % 2 === 0 ? log.next(AUTH) : log.next("handshake"));
    });
    await Promise.all(ends);
    await server.log.nth(AUTH, 13);
    await server.log.nth("handshake", 13);
    const peersOf = (type: "accept" | "handshake" | typeof AUTH) =>
      server.log.of(type).map(({ peerAddress }) => peerAddress).sort();
    assertEquals([...peersOf(AUTH), ...peersOf("handshake")].sort(), peersOf("accept"));
    assertEquals(new Set(peersOf("accept")).size, 26);
  });

  it("is told by the one who is asked, whoever binds", async () => {
    await stage.handler(withStatus("400"));
    const client = stage.coming("tcp://127.0.0.1:9", "PLAIN");
    await client.socket.bind("tcp://127.0.0.1:*");
    const server = await stage.asking("tcp", "PLAIN");
    server.socket.connect(client.socket.lastEndpoint!);
    const [atServer, atClient] = await Promise.all([server.log.next(AUTH), client.log.next(AUTH)]);
    assertEquals([atServer.error.status, atClient.error.status], [400, 400]);
    assertEquals(atServer.address, client.socket.lastEndpoint);
    assert(saidBy(atServer.error, false) && saidBy(atClient.error, true));
    // Its own no is no reason not to come back: only a peer's is.
    await server.log.next("connect:retry");
  });
});

/** Whether the refusal was the peer's, or this side's own. */
function saidBy(error: Error, byPeer: boolean): boolean {
  return error instanceof AuthenticationError && error.byPeer === byPeer;
}
