// Domains of ZAP: libzmq's test_security_null, and several servers that one handler looks after.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Push } from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { EventLog } from "../_util/event_log.ts";
import { describeOver } from "../_util/transports.ts";
import { letInIf, ZapHandler } from "../_util/zap_handler.ts";
import { DOMAIN, MECHANISM_NAMES, SIDES } from "../_util/zap_mechanisms.ts";
import { assertDenied, assertLetIn, ZapStage } from "../_util/zap_stage.ts";

const stage = new ZapStage();

describeOver(SYSTEM_TRANSPORTS, "a handler that knows one domain", (transport) => {
  afterEach(() => stage.clear());

  it("lets NULL clients in without a domain, as it is not asked", async () => {
    const handler = await stage.handler(letInIf(({ domain }) => domain === DOMAIN));
    const server = await stage.server(transport, {});
    await assertLetIn(stage.client(server.address), server);
    assertEquals(handler.requests, []);
  });

  it("lets NULL clients in with no domain, enforced though it is", async () => {
    const handler = await stage.handler(letInIf(() => false));
    const server = await stage.server(transport, { zapEnforceDomain: true });
    await assertLetIn(stage.client(server.address), server);
    assertEquals(handler.requests, []);
  });

  for (const mechanism of MECHANISM_NAMES) {
    it(`keeps ${mechanism} clients out of another one`, async () => {
      await stage.handler(letInIf(({ domain }) => domain === DOMAIN));
      const server = await stage.asking(transport, mechanism, { zapDomain: "WRONG" });
      await assertDenied(stage.coming(server.address, mechanism), server, 400);
    });

    it(`lets ${mechanism} clients into it`, async () => {
      const handler = await stage.handler(letInIf(({ domain }) => domain === DOMAIN));
      for (const zapEnforceDomain of [false, true]) {
        const server = await stage.asking(transport, mechanism, { zapEnforceDomain });
        await assertLetIn(stage.coming(server.address, mechanism), server);
      }
      assertEquals(handler.requests.length, 2);
    });
  }

  it("ZAP-X-02: is not asked by CURVE when a domain is enforced that is not there, as libzmq", async () => {
    const handler = await stage.handler(letInIf(() => false));
    const server = await stage.server(transport, {
      ...SIDES.CURVE.server,
      zapEnforceDomain: true,
    });
    await assertLetIn(stage.coming(server.address, "CURVE"), server);
    assertEquals(handler.requests, []);
  });

  it("is asked by PLAIN with and without a domain", async () => {
    const handler = await stage.handler();
    for (const zapEnforceDomain of [false, true]) {
      const server = await stage.server(transport, { ...SIDES.PLAIN.server, zapEnforceDomain });
      await assertLetIn(stage.coming(server.address, "PLAIN"), server);
    }
    assertEquals(handler.requests.map(({ domain }) => domain), ["", ""]);
  });
});

describe("one handler", () => {
  afterEach(() => stage.clear());

  it("ZAP-ARCH-03: serves all servers of its context, of all mechanisms, at once", async () => {
    const handler = await stage.handler(letInIf(({ domain }) => domain.startsWith("open")));
    const open = [];
    const shut = [];
    for (const mechanism of MECHANISM_NAMES) {
      for (const transport of SYSTEM_TRANSPORTS) {
        const zapDomain = `open ${mechanism} ${transport}`;
        open.push({ mechanism, server: await stage.asking(transport, mechanism, { zapDomain }) });
        shut.push({
          mechanism,
          server: await stage.asking(transport, mechanism, { zapDomain: "shut" }),
        });
      }
    }
    await Promise.all([
      ...open.map(({ mechanism, server }) =>
        assertLetIn(stage.coming(server.address, mechanism), server)
      ),
      ...shut.map(({ mechanism, server }) =>
        assertDenied(stage.coming(server.address, mechanism), server, 400)
      ),
    ]);
    assertEquals(handler.requests.length, 12);
    const domains = handler.requests.map(({ domain }) => domain);
    assertEquals(new Set(domains).size, 7);
  });

  it("ZAP-ARCH-03: serves servers that were bound before it, and those that come later", async () => {
    const before = await stage.asking("tcp", "PLAIN");
    const handler = await stage.handler();
    const after = await stage.asking("tcp", "PLAIN");
    for (const server of [before, after]) {
      await assertLetIn(stage.coming(server.address, "PLAIN"), server);
    }
    assertEquals(handler.requests.length, 2);
  });

  it("serves a server at all its addresses", async () => {
    const handler = await stage.handler();
    const server = await stage.asking("tcp", "PLAIN");
    await server.socket.bind("ipc://*");
    const address = server.socket.lastEndpoint!;
    await assertLetIn(stage.coming(server.address, "PLAIN"), server);
    await assertLetIn(stage.coming(address, "PLAIN"), server);
    assertEquals(handler.requests.map((request) => request.address), ["127.0.0.1", ""]);
  });

  it("is asked by a server that connects, about whom it reaches", async () => {
    // As with libzmq, who is the server of a mechanism has nothing to do with who binds.
    const handler = await stage.handler();
    const push = stage.cleanup.add(new Push({ ...SIDES.PLAIN.client, context: stage.context }));
    const log = new EventLog(push);
    await push.bind("tcp://127.0.0.1:*");
    const server = await stage.asking("tcp", "PLAIN");
    server.socket.connect(push.lastEndpoint!);
    await assertLetIn({ socket: push, log }, server);
    assertEquals(handler.requests.map((request) => request.address), ["127.0.0.1"]);
  });

  it("of each context is asked by the servers of that context alone", async () => {
    const contexts = [new Context(), new Context()];
    const handlers = await Promise.all(contexts.map(async (context, i) =>
      stage.cleanup.add(
        await ZapHandler.open(
          context,
          letInIf(({ credentials }) => String.fromCharCode(...credentials[0]) === `user ${i}`),
        ),
      )
    ));
    const servers = await Promise.all(
      contexts.map((context) => stage.asking("tcp", "PLAIN", { context })),
    );
    const as = (user: number, at: number) =>
      stage.client(servers[at].address, { plainUsername: `user ${user}`, plainPassword: "x" });
    await assertLetIn(as(0, 0), servers[0]);
    await assertLetIn(as(1, 1), servers[1]);
    await assertDenied(as(1, 0), servers[0], 400);
    await assertDenied(as(0, 1), servers[1], 400);
    assertEquals(handlers.map(({ requests }) => requests.length), [2, 2]);
  });
});
