// What a server does when no ZAP handler answers: none is there, it goes away, it does not read or it does not write.
// The rules are libzmq's (test_security_no_zap_handler, test_security_zap).

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Pair, Publisher, Pull, Push, Reply, Request, Subscriber } from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { eventually } from "../_util/deadline.ts";
import { codeOf, plain } from "../_util/event_log.ts";
import { describeOver } from "../_util/transports.ts";
import { HANDLER_TYPES, ZAP_ENDPOINT } from "../_util/zap_handler.ts";
import { DOMAIN, MECHANISM_NAMES, type MechanismName, SIDES } from "../_util/zap_mechanisms.ts";
import { assertLetIn, type Client, type Server, ZapStage } from "../_util/zap_stage.ts";

const OTHER = "handshake:error:other";
const SHORT_MS = 100;
const stage = new ZapStage();

async function meeting(
  transport: string,
  mechanism: MechanismName,
  options: Parameters<ZapStage["server"]>[1],
): Promise<[Server, Client]> {
  const server = await stage.server(transport, { ...SIDES[mechanism].server, ...options });
  return [server, stage.coming(server.address, mechanism)];
}

/** What happens without a handler: the mechanism, the domain, whether it is enforced, whether clients come in. */
const WITHOUT: readonly (readonly [MechanismName, string | null, boolean, boolean])[] = [
  ["NULL", null, false, true],
  ["NULL", null, true, true],
  ["NULL", DOMAIN, false, true],
  ["NULL", DOMAIN, true, false],
  ["PLAIN", null, false, false],
  ["PLAIN", null, true, false],
  ["PLAIN", DOMAIN, false, false],
  ["PLAIN", DOMAIN, true, false],
  ["CURVE", null, false, true],
  ["CURVE", null, true, true],
  ["CURVE", DOMAIN, false, true],
  ["CURVE", DOMAIN, true, false],
];

describeOver(SYSTEM_TRANSPORTS, "without a handler", (transport) => {
  afterEach(() => stage.clear());

  for (const [mechanism, zapDomain, zapEnforceDomain, comesIn] of WITHOUT) {
    const where = `${zapDomain === null ? "no domain" : "a domain"}, ${
      zapEnforceDomain ? "" : "not "
    }enforced`;
    const what = comesIn ? "lets in" : "refuses";
    it(`ZAP-X-02, CURVE-INIT-08, PLAIN-X-01: ${mechanism} with ${where} ${what}`, async () => {
      const [server, client] = await meeting(transport, mechanism, { zapDomain, zapEnforceDomain });
      if (comesIn) {
        await assertLetIn(client, server);
        assertEquals(server.log.types.filter((type) => type.startsWith("handshake:")), []);
        return;
      }
      const event = await server.log.next(OTHER);
      assertEquals(plain(event), {
        type: OTHER,
        address: server.address,
        peerAddress: server.log.of("accept")[0].peerAddress,
        error: "EFAULT",
      });
      assert(event.error.message.includes(ZAP_ENDPOINT), event.error.message);
      // Somebody may start a handler: the client comes again, as its connection just ended.
      await client.log.next("connect:retry");
      await server.log.nth(OTHER, 2);
      assertEquals([server, client].flatMap(({ log }) => log.of("handshake")), []);
    });
  }

  for (const mechanism of MECHANISM_NAMES) {
    const options = { zapDomain: DOMAIN, zapEnforceDomain: true };

    it(`ZAP-ARCH-02, ZAP-ARCH-03: a server of ${mechanism} lets in again once there is one`, async () => {
      const [server, client] = await meeting(transport, mechanism, options);
      await server.log.next(OTHER);
      const handler = await stage.handler();
      await assertLetIn(client, server);
      assertEquals(handler.requests.length, 1);
    });

    it(`a server of ${mechanism} refuses when it goes instead of answering`, async () => {
      const [server, client] = await meeting(transport, mechanism, options);
      await server.log.next(OTHER);
      const handler = await stage.handler(async () => {
        await handler.close();
        return undefined;
      });
      await eventually(() => handler.requests.length > 0);
      const before = server.log.of(OTHER).length;
      await server.log.nth(OTHER, before + 1);
      assertEquals(client.log.of("handshake"), []);
      await client.log.next("connect:retry");
    });
  }
});

describeOver(SYSTEM_TRANSPORTS, "a handler that says nothing", (transport) => {
  afterEach(() => stage.clear());

  for (const mechanism of MECHANISM_NAMES) {
    it(`ZAP-X-05: to a request of ${mechanism} is waited for until handshakeInterval is over`, async () => {
      const handler = await stage.handler(() => undefined);
      const [server, client] = await meeting(transport, mechanism, {
        zapDomain: DOMAIN,
        handshakeInterval: SHORT_MS,
      });
      const event = await server.log.next(OTHER);
      assertEquals(codeOf(event), "ETIMEDOUT");
      // The first of the two may be seen late.
      assert(event.at - server.log.of("accept")[0].at >= SHORT_MS / 2);
      await client.log.next("connect:retry");
      // A handshake may take longer than that by itself, on a busy machine: then the next one asks.
      await eventually(() => handler.requests.length === 1);
      assertEquals([server, client].flatMap(({ log }) => log.of("handshake")), []);
    });

    it(`nor reads a request of ${mechanism} is waited for as long`, async () => {
      const context = stage.context;
      const deaf = stage.cleanup.add(new Reply({ context }));
      await deaf.bind(ZAP_ENDPOINT);
      const [server, client] = await meeting(transport, mechanism, {
        zapDomain: DOMAIN,
        handshakeInterval: SHORT_MS,
      });
      assertEquals(codeOf(await server.log.next(OTHER)), "ETIMEDOUT");
      await client.log.next("connect:retry");
      assertEquals([server, client].flatMap(({ log }) => log.of("handshake")), []);
    });
  }
});

describe("a handler", () => {
  afterEach(() => stage.clear());

  for (const type of HANDLER_TYPES) {
    it(`that is a ${type} and goes with requests unread leaves nobody waiting`, async () => {
      const handler = await stage.handler(() => new Promise(() => {}), type);
      const server = await stage.asking("tcp", "PLAIN");
      for (let i = 0; i < 10; i++) stage.coming(server.address, "PLAIN", { reconnectInterval: -1 });
      await server.log.nth("accept", 10);
      await eventually(() => handler.requests.length === (type === "REP" ? 1 : 10));
      await handler.close();
      await server.log.nth(OTHER, 10);
      assertEquals(server.log.of("handshake"), []);
    });
  }

  it("ZAP-ARCH-03: of another context is none", async () => {
    const other = new ZapStage();
    try {
      const handler = await other.handler();
      const [server] = await meeting("tcp", "PLAIN", {});
      assertEquals(codeOf(await server.log.next(OTHER)), "EFAULT");
      assertEquals(handler.requests, []);
    } finally {
      await other.clear();
    }
  });

  for (const Class of [Pull, Push, Pair, Publisher, Subscriber, Request]) {
    it(`ZAP-ARCH-01: that is a ${Class.name} can be asked nothing: nobody waits for its answer`, async () => {
      const odd = stage.cleanup.add(new Class({ context: stage.context }));
      await odd.bind(ZAP_ENDPOINT);
      const [server, client] = await meeting("tcp", "PLAIN", {});
      await server.log.next(OTHER);
      await client.log.next("connect:retry");
      await odd.close();
      await stage.handler();
      await assertLetIn(client, server);
    });
  }

  it("that neither answers nor is a handler at all does not keep others out", async () => {
    const context = stage.context;
    const odd = stage.cleanup.add(new Dealer({ context }));
    await odd.bind(ZAP_ENDPOINT);
    const [server, client] = await meeting("tcp", "PLAIN", { handshakeInterval: SHORT_MS });
    await server.log.next(OTHER);
    const open = await stage.server("tcp", {});
    await assertLetIn(stage.client(open.address), open);
    assertEquals(client.log.of("handshake"), []);
    await odd.close();
    await stage.handler();
    await assertLetIn(client, server);
  });
});
