// What a server asks its ZAP handler: the frames of RFC 27, as libzmq sends them, but for the id.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Reply, Router } from "../../mod.ts";
import { SYSTEM_TRANSPORTS, type Transport } from "../_util/anywhere.ts";
import { textsOf, toHex, utf8 } from "../_util/bytes.ts";
import { within } from "../_util/deadline.ts";
import { describeOver } from "../_util/transports.ts";
import { HANDLER_TYPES, ZAP_ENDPOINT, zapReply, type ZapRequest } from "../_util/zap_handler.ts";
import {
  CLIENT_KEYS,
  DOMAIN,
  MECHANISM_NAMES,
  type MechanismName,
  PASSWORD,
  SIDES,
  USERNAME,
} from "../_util/zap_mechanisms.ts";
import { assertLetIn, ZapStage } from "../_util/zap_stage.ts";

const stage = new ZapStage();

const CREDENTIALS: Readonly<Record<MechanismName, readonly Uint8Array[]>> = {
  NULL: [],
  PLAIN: [utf8(USERNAME), utf8(PASSWORD)],
  CURVE: [CLIENT_KEYS.publicOctets],
};

/** The request as GV-Z-02 and GV-Z-03 have it, its id aside. */
function expected(mechanism: MechanismName, transport: Transport): string[] {
  const address = transport === "tcp" ? "127.0.0.1" : "";
  const texts = ["1.0", DOMAIN, address, "", mechanism];
  return [...texts.map(utf8), ...CREDENTIALS[mechanism]].map(toHex);
}

/** All frames in hex, but for the id. */
function withoutId({ frames }: ZapRequest): string[] {
  return frames.filter((_, i) => i !== 1).map(toHex);
}

describeOver(SYSTEM_TRANSPORTS, "a ZAP request", (transport) => {
  afterEach(() => stage.clear());

  for (const mechanism of MECHANISM_NAMES) {
    for (const type of HANDLER_TYPES) {
      it(`ZAP-REQ-01, ZAP-REQ-02, ZAP-REQ-07, ZAP-REQ-08: of ${mechanism}, for a ${type}`, async () => {
        const handler = await stage.handler(undefined, type);
        const server = await stage.asking(transport, mechanism);
        const client = stage.coming(server.address, mechanism);
        await assertLetIn(client, server);
        assertEquals(handler.requests.length, 1, "one connection, one request");
        assertEquals(withoutId(handler.requests[0]), expected(mechanism, transport));
        assert(handler.requests[0].id.length > 0);
        assert(handler.requests[0].id.length <= 255);
      });
    }
  }

  it("ZAP-REQ-04: tells the domain of the server, whatever text it is", async () => {
    const handler = await stage.handler();
    for (const zapDomain of ["a", "größer ✓", "d".repeat(255)]) {
      const server = await stage.server(transport, { zapDomain });
      await assertLetIn(stage.client(server.address), server);
      assertEquals(handler.requests.at(-1)!.domain, zapDomain);
    }
  });

  it("of PLAIN has an empty password where only a name is set, and the other way round", async () => {
    const handler = await stage.handler();
    const server = await stage.asking(transport, "PLAIN");
    await assertLetIn(stage.client(server.address, { plainUsername: "somebody" }), server);
    await assertLetIn(stage.client(server.address, { plainPassword: "something" }), server);
    assertEquals(
      handler.requests.map(({ credentials }) => textsOf(credentials)),
      [["somebody", ""], ["", "something"]],
    );
  });

  it("ZAP-REQ-04: has an empty domain where none is set, as libzmq's", async () => {
    const handler = await stage.handler();
    for (const mechanism of ["PLAIN", "CURVE"] as const) {
      const server = await stage.server(transport, SIDES[mechanism].server);
      await assertLetIn(stage.coming(server.address, mechanism), server);
      assertEquals([handler.requests.at(-1)!.domain, handler.requests.at(-1)!.mechanism], [
        "",
        mechanism,
      ]);
    }
  });

  it("of PLAIN has the name and the password of each client", async () => {
    const handler = await stage.handler();
    const server = await stage.asking(transport, "PLAIN");
    const given = [
      ["a", "b"],
      ["größer", "✓"],
      ["with space", "with\0nul"],
      ["u".repeat(255), "p".repeat(255)],
      ["somebody", ""],
      ["", "something"],
      ["", ""],
    ];
    for (const [plainUsername, plainPassword] of given) {
      await assertLetIn(stage.client(server.address, { plainUsername, plainPassword }), server);
      assertEquals(textsOf(handler.requests.at(-1)!.credentials), [plainUsername, plainPassword]);
    }
  });
});

describe("a ZAP request", () => {
  afterEach(() => stage.clear());

  it("ZAP-REQ-05: tells each peer's address without its port", async () => {
    const handler = await stage.handler();
    const server = await stage.asking("tcp://127.0.0.1:*", "NULL");
    for (const source of ["127.0.0.1", "127.0.0.2", "127.1.2.3"]) {
      const from = server.address.replace("tcp://", `tcp://${source}:0;`);
      await assertLetIn(stage.client(from), server);
      assertEquals(handler.requests.at(-1)!.address, source);
    }
  });

  it("ZAP-REQ-05: tells an IPv6 address as text, without brackets", async () => {
    const handler = await stage.handler();
    const server = await stage.asking("tcp://[::1]:*", "NULL");
    await assertLetIn(stage.client(server.address), server);
    assertEquals(handler.requests[0].address, "::1");
  });

  it("ZAP-REQ-03: has an id that no other has that waits for its answer", async () => {
    const arrived: ZapRequest[] = [];
    const gate = Promise.withResolvers<void>();
    await stage.handler(async (request) => {
      arrived.push(request);
      if (arrived.length === 20) gate.resolve();
      await gate.promise;
      return zapReply(request);
    }, "ROUTER");
    const servers = await Promise.all([
      stage.asking("tcp", "NULL"),
      stage.asking("tcp", "PLAIN"),
    ]);
    const pairs = Array.from({ length: 20 }, (_, i) => {
      const server = servers[i % 2];
      return { server, client: stage.coming(server.address, i % 2 ? "PLAIN" : "NULL") };
    });
    await Promise.all(pairs.map(({ client }) => client.log.next("handshake")));
    // An id may serve again for another server: each of them has its own way to the handler.
    for (const mechanism of ["NULL", "PLAIN"]) {
      const ids = arrived.filter((request) => request.mechanism === mechanism)
        .map(({ id }) => toHex(id));
      assertEquals(new Set(ids).size, 10);
    }
  });

  it("ZAP-ENV-02, ZAP-REQ-02: begins with an empty frame for a ROUTER, after the way back", async () => {
    const context = new Context();
    const handler = stage.cleanup.add(new Router({ context, receiveTimeout: 5_000 }));
    await handler.bind(ZAP_ENDPOINT);
    const server = await stage.asking("tcp", "NULL", { context });
    const client = stage.coming(server.address, "NULL");
    const [routingId, ...frames] = await handler.receive();
    assert(routingId.length > 0);
    assertEquals(textsOf(frames.slice(0, 2)), ["", "1.0"]);
    assertEquals(frames.length, 7);
    await handler.send([routingId, "", "1.0", frames[2], "200", "OK", "", ""]);
    await assertLetIn(client, server);
  });

  it("ZAP-ENV-01, ZAP-ARCH-01: reaches a REP as an ordinary request, answered with send", async () => {
    const context = new Context();
    const handler = stage.cleanup.add(new Reply({ context, receiveTimeout: 5_000 }));
    await handler.bind(ZAP_ENDPOINT);
    const server = await stage.asking("tcp", "NULL", { context });
    const client = stage.coming(server.address, "NULL");
    const frames = await handler.receive();
    assertEquals(frames.length, 6);
    assertEquals(client.log.of("handshake"), [], "it waits for the answer");
    await handler.send(["1.0", frames[1], "200", "OK", "", ""]);
    await assertLetIn(client, server);
  });

  it("ZAP-X-02: is not made for a NULL server without a domain, nor for a client", async () => {
    const handler = await stage.handler();
    const server = await stage.server("tcp", {});
    // The client's own domain is about peers that come to it.
    const client = stage.client(server.address, { zapEnforceDomain: true });
    await assertLetIn(client, server);
    await server.socket.close();
    assertEquals(handler.requests, []);
  });

  it("is made again when a client comes back", async () => {
    const handler = await stage.handler();
    const server = await stage.asking("tcp", "PLAIN");
    const client = stage.coming(server.address, "PLAIN");
    await assertLetIn(client, server);
    client.socket.disconnect(server.address);
    await server.log.next("disconnect");
    client.socket.connect(server.address);
    await assertLetIn(client, server);
    assertEquals(handler.requests.length, 2);
  });

  it("is answered though many others never are", async () => {
    const handler = await stage.handler(
      (request) =>
        request.credentials.length === 2 && toHex(request.credentials[0]) === toHex(utf8("quiet"))
          ? undefined
          : zapReply(request),
      "ROUTER",
    );
    const server = await stage.asking("tcp", "PLAIN");
    for (let i = 0; i < 30; i++) {
      stage.client(server.address, { plainUsername: "quiet", plainPassword: "" });
    }
    await server.log.nth("accept", 30);
    const client = stage.coming(server.address, "PLAIN");
    await within(assertLetIn(client, server), 5_000, "the one who is answered comes in");
    assertEquals(handler.requests.length, 31);
  });
});
