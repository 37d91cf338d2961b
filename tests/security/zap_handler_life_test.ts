// Handlers that come and go while peers come, and handlers that take their time.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Proxy, Reply, Router } from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { eventually, within } from "../_util/deadline.ts";
import { codeOf } from "../_util/event_log.ts";
import { describeOver } from "../_util/transports.ts";
import { ZapAsker } from "../_util/zap_asker.ts";
import {
  HANDLER_TYPES,
  letInIf,
  ZAP_ENDPOINT,
  zapReply,
  type ZapRequest,
} from "../_util/zap_handler.ts";
import { MECHANISM_NAMES } from "../_util/zap_mechanisms.ts";
import { assertDenied, assertLetIn, ZapStage } from "../_util/zap_stage.ts";

const OTHER = "handshake:error:other";
const stage = new ZapStage();

describeOver(SYSTEM_TRANSPORTS, "a handler that is closed and bound again", (transport) => {
  afterEach(() => stage.clear());

  it("is the one that is asked from then on", async () => {
    const server = await stage.asking(transport, "PLAIN");
    let handlers = 0;
    for (let round = 0; round < 5; round++) {
      const handler = await stage.handler();
      handlers++;
      await assertLetIn(stage.coming(server.address, "PLAIN"), server);
      await assertLetIn(stage.coming(server.address, "PLAIN"), server);
      assertEquals(handler.requests.length, 2, `handler ${handlers}`);
      await handler.close();
    }
  });

  it("changes its mind about those who come, not about those who are in", async () => {
    const server = await stage.asking(transport, "PLAIN");
    const first = await stage.handler();
    const inside = stage.coming(server.address, "PLAIN");
    await assertLetIn(inside, server);
    await first.close();
    await stage.handler(letInIf(() => false));
    await assertDenied(stage.coming(server.address, "PLAIN"), server, 400);
    await assertLetIn(inside, server);
  });

  for (const type of HANDLER_TYPES) {
    it(`many times, as a ${type}, loses nobody of the many who come`, async () => {
      const server = await stage.asking(transport, "PLAIN");
      const clients = Array.from(
        { length: 30 },
        () => stage.coming(server.address, "PLAIN", { reconnectInterval: 1 }),
      );
      for (let round = 0; round < 5; round++) {
        const handler = await stage.handler(async (request) => {
          await Promise.resolve();
          // Some are let in; with the others it goes in the middle of its work.
          return handler.requests.length <= 5 ? zapReply(request) : undefined;
        }, type);
        await eventually(() => handler.requests.length > 5);
        await handler.close();
      }
      await stage.handler(undefined, type);
      await Promise.all(clients.map((client) => client.log.nth("handshake")));
      for (const client of clients) await assertLetIn(client, server);
      const lost = server.log.of(OTHER).length;
      assert(lost >= 5, `${lost} were asked about in vain`);
      assertEquals(clients.flatMap(({ log }) => log.of("handshake:error:auth")), []);
    });
  }
});

describe("a handler that closes", () => {
  afterEach(() => stage.clear());

  for (const type of HANDLER_TYPES) {
    it(`as a ${type} leaves those who come at that moment to the next one`, async () => {
      const handler = await stage.handler(undefined, type);
      const closing = handler.close();
      const asker = stage.cleanup.add(new ZapAsker(stage.context));
      const answer = asker.ask({});
      await closing;
      const next = await stage.handler(undefined, type);
      assertEquals((await answer).status, "200");
      assertEquals([handler.requests.length, next.requests.length], [0, 1]);
    });
  }
});

describe("a proxy as the handler", () => {
  afterEach(() => stage.clear());

  it("ZAP-PROXY-01, ZAP-ENV-03: passes requests to workers and answers back, envelope and all", async () => {
    const { context } = stage;
    const front = stage.cleanup.add(new Router({ context }));
    await front.bind(ZAP_ENDPOINT);
    const back = stage.cleanup.add(new Dealer({ context }));
    await back.bind("inproc://workers");
    const proxy = new Proxy(front, back);
    const running = proxy.run();
    const served = [0, 0, 0];
    for (const i of served.keys()) {
      const worker = stage.cleanup.add(new Reply({ context }));
      worker.connect("inproc://workers");
      void (async () => {
        for await (const [version, id, , , , , username] of worker) {
          served[i]++;
          const status = String(username) === "friend" ? "200" : "400";
          await worker.send([version, id, status, "", "", ""]);
        }
      })();
    }
    const server = await stage.asking("tcp", "PLAIN");
    const as = (plainUsername: string) =>
      stage.client(server.address, { plainUsername, plainPassword: "x" });
    for (let i = 0; i < 6; i++) {
      await assertLetIn(as("friend"), server);
      await assertDenied(as("foe"), server, 400);
    }
    assertEquals(served, [4, 4, 4]);
    proxy.terminate();
    await running;
  });
});

describe("a handler that takes its time", () => {
  afterEach(() => stage.clear());

  for (const mechanism of MECHANISM_NAMES) {
    it(`over ${mechanism} clients, all at once, answers each with its own`, async () => {
      const waiting: (() => void)[] = [];
      const handler = await stage.handler(async (request) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return zapReply(request);
      }, "ROUTER");
      const server = await stage.asking("tcp", mechanism);
      const clients = Array.from({ length: 50 }, () => stage.coming(server.address, mechanism));
      await eventually(() => waiting.length === 50);
      assertEquals(server.log.of("handshake"), []);
      // The last one who asked is the first who is answered.
      for (const answer of waiting.reverse()) answer();
      for (const client of clients) await assertLetIn(client, server);
      assertEquals([handler.requests.length, server.log.of("handshake").length], [50, 50]);
    });
  }

  it("over one after another, as a REP, starves nobody", async () => {
    const handler = await stage.handler(async (request) => {
      await new Promise((done) => setTimeout(done, 2));
      return zapReply(request);
    });
    const servers = await Promise.all(
      MECHANISM_NAMES.map((mechanism) => stage.asking("tcp", mechanism)),
    );
    const clients = Array.from({ length: 90 }, (_, i) => {
      const server = servers[i % 3];
      return { server, client: stage.coming(server.address, MECHANISM_NAMES[i % 3]) };
    });
    await within(
      Promise.all(clients.map(({ client }) => client.log.nth("handshake", 1, 20_000))),
      20_000,
      "all of them come in",
    );
    assertEquals(handler.requests.length, 90);
    assertEquals(servers.flatMap(({ log }) => log.of(OTHER)), []);
  });

  it("costs those their turn whose handshakeInterval is over, and nobody else", async () => {
    const asked: [ZapRequest, (slow: boolean) => void][] = [];
    await stage.handler(async (request) => {
      const slow = await new Promise<boolean>((resolve) => asked.push([request, resolve]));
      return slow ? undefined : zapReply(request);
    }, "ROUTER");
    const hasty = await stage.asking("tcp", "PLAIN", { handshakeInterval: 300 });
    const patient = await stage.asking("tcp", "PLAIN");
    const late = stage.coming(hasty.address, "PLAIN", { reconnectInterval: -1 });
    await eventually(() => asked.length === 1);
    const early = stage.coming(patient.address, "PLAIN");
    await eventually(() => asked.length === 2);
    assertEquals(codeOf(await hasty.log.next(OTHER)), "ETIMEDOUT");
    assertEquals(early.log.of("handshake"), []);
    for (const [, resolve] of asked) resolve(false);
    await assertLetIn(early, patient);
    assertEquals([late, hasty].flatMap(({ log }) => log.of("handshake")), []);
    // The server goes on with the next one, whom it asks about again, and has the time to.
    hasty.socket.handshakeInterval = 30_000;
    const next = stage.coming(hasty.address, "PLAIN");
    await eventually(() => asked.length === 3);
    asked[2][1](false);
    await assertLetIn(next, hasty);
  });

  it("keeps a client waiting no longer than its own handshakeInterval", async () => {
    await stage.handler(() => undefined);
    const server = await stage.asking("tcp", "PLAIN");
    const client = stage.coming(server.address, "PLAIN", {
      handshakeInterval: 100,
      reconnectInterval: -1,
    });
    assertEquals(codeOf(await client.log.next(OTHER)), "ETIMEDOUT");
    await server.log.next("disconnect");
    assertEquals(server.log.of("handshake"), []);
  });

  it("does not hold up peers that are in, nor servers that need not ask", async () => {
    let isOpen = true;
    await stage.handler((request) => isOpen ? zapReply(request) : undefined);
    const server = await stage.asking("tcp", "PLAIN");
    const open = await stage.server("tcp", {});
    const inside = stage.coming(server.address, "PLAIN");
    await assertLetIn(inside, server);
    isOpen = false;
    const outside = stage.coming(server.address, "PLAIN");
    for (let i = 0; i < 20; i++) await assertLetIn(inside, server);
    await assertLetIn(stage.client(open.address), open);
    assertEquals(outside.log.of("handshake"), []);
  });

  it("does not hold up closing of the server, nor of the context", async () => {
    await stage.handler(() => undefined);
    const server = await stage.asking("tcp", "PLAIN");
    const client = stage.coming(server.address, "PLAIN");
    await server.log.next("accept");
    await within(server.socket.close(), 1_000, "close of a server that waits for its handler");
    await client.log.next("connect:retry");
    const { context } = stage;
    await within(context.terminate(), 1_000, "terminate with a handler that says nothing");
  });
});
