// Who comes again after a refusal and who does not: an answer that is final ends it, what may change is tried again.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Authenticator, Pull, Push } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { eventually } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { describeOver, reserve } from "../_util/transports.ts";
import { withStatus, type ZapBehaviour, zapReply } from "../_util/zap_handler.ts";
import {
  DOMAIN,
  MECHANISM_NAMES,
  type MechanismName,
  PASSWORD,
  SIDES,
  USERNAME,
} from "../_util/zap_mechanisms.ts";
import {
  assertDenied,
  assertLetIn,
  type Client,
  type Server,
  ZapStage,
} from "../_util/zap_stage.ts";

const stage = new ZapStage();

/** A server at an address that it may leave and come back to. */
async function serverAt(address: string, mechanism: MechanismName): Promise<Server> {
  const socket = stage.cleanup.add(
    new Pull({
      ...SIDES[mechanism].server,
      context: stage.context,
      zapDomain: DOMAIN,
      receiveTimeout: 5_000,
    }),
  );
  const log = new EventLog(socket);
  await socket.bind(address);
  return { socket, log, address };
}

/** Waits until a client would have come again if it were to: another one, younger, has come and gone three times. */
async function assertStaysAway(client: Client, server: Server): Promise<void> {
  const retries = client.log.of("connect:retry").length;
  const attempts = client.log.of("connect:delay").length;
  const other = stage.client("tcp://127.0.0.1:9", { reconnectInterval: 20 });
  await other.log.nth("connect:retry", 3);
  assertEquals(client.log.of("connect:retry").length, retries);
  assertEquals(client.log.of("connect:delay").length, attempts);
  assertEquals(server.log.of("handshake").length, 0);
}

describeOver(SYSTEM_TRANSPORTS, "a client that was refused", (transport) => {
  afterEach(() => stage.clear());

  for (const mechanism of MECHANISM_NAMES) {
    for (const status of [400, 500]) {
      it(`CURVE-ERR-02: over ${mechanism} with ${status} does not come again by itself`, async () => {
        const handler = await stage.handler(withStatus(String(status)));
        const server = await stage.asking(transport, mechanism);
        const client = stage.coming(server.address, mechanism, { reconnectInterval: 1 });
        await assertDenied(client, server, status);
        await assertStaysAway(client, server);
        assertEquals(handler.requests.length, 1);
      });
    }

    it(`over ${mechanism} with 400 comes in when it is sent again and may`, async () => {
      let status = "400";
      await stage.handler((request) => zapReply(request, { status }));
      const server = await stage.asking(transport, mechanism);
      const client = stage.coming(server.address, mechanism);
      await assertDenied(client, server, 400);
      status = "200";
      client.socket.connect(server.address);
      await assertLetIn(client, server);
    });

    it(`over ${mechanism} with 300 comes again until it may come in`, async () => {
      let count = 0;
      const moody: ZapBehaviour = (request) =>
        zapReply(request, { status: ++count < 5 ? "300" : "200" });
      await stage.handler(moody);
      const server = await stage.asking(transport, mechanism);
      const client = stage.coming(server.address, mechanism, { reconnectInterval: 1 });
      await assertLetIn(client, server);
      assertEquals(count, 5);
      assertEquals(client.log.of("connect:retry").length, 4);
    });
  }

  it("with 300 waits for its reconnectInterval", async () => {
    let count = 0;
    await stage.handler((request) => zapReply(request, { status: ++count < 3 ? "300" : "200" }));
    const server = await stage.asking(transport, "PLAIN");
    const client = stage.coming(server.address, "PLAIN", { reconnectInterval: 60 });
    await assertLetIn(client, server);
    for (const [i, { at, interval }] of client.log.of("connect:retry").entries()) {
      assert(interval >= 60, `${interval} ms`);
      const next = client.log.of("connect")[i + 1].at;
      assert(next - at >= interval - 2, `${next - at} ms instead of ${interval}`);
    }
  });

  it("with 400 after it was in, by a server that came back, stays away", async () => {
    const address = await reserve(transport);
    let status = "200";
    await stage.handler((request) => zapReply(request, { status }));
    const server = await serverAt(address, "PLAIN");
    const client = stage.coming(address, "PLAIN");
    await assertLetIn(client, server);
    status = "400";
    server.socket.linger = 0;
    await server.socket.close();
    const next = await serverAt(address, "PLAIN");
    await client.log.next("handshake:error:auth");
    await next.log.next("handshake:error:auth");
    await assertStaysAway(client, next);
  });

  it("while nobody could tell comes in when the server is back with its handler", async () => {
    const address = await reserve(transport);
    const server = await serverAt(address, "PLAIN");
    const client = stage.coming(address, "PLAIN");
    await server.log.next("handshake:error:other");
    await server.socket.close();
    await client.log.next("connect:retry");
    await stage.handler();
    const next = await serverAt(address, "PLAIN");
    await assertLetIn(client, next);
  });
});

describeOver(SYSTEM_TRANSPORTS, "a server that connects to a client", (transport) => {
  afterEach(() => stage.clear());

  /** A client that is bound. */
  async function waiting(mechanism: MechanismName): Promise<Client> {
    const socket = stage.cleanup.add(new Push({ ...SIDES[mechanism].client, sendTimeout: 5_000 }));
    const log = new EventLog(socket);
    await socket.bind(anywhere(transport));
    return { socket, log };
  }

  for (const mechanism of MECHANISM_NAMES) {
    for (const status of ["300", "400", "500"]) {
      it(`over ${mechanism} comes back after its own ${status}, until it may let in`, async () => {
        let count = 0;
        await stage.handler((request) =>
          zapReply(request, { status: ++count < 4 ? status : "200" })
        );
        const client = await waiting(mechanism);
        const server = await stage.asking(transport, mechanism);
        server.socket.reconnectInterval = 1;
        server.socket.connect(client.socket.lastEndpoint!);
        await assertLetIn(client, server);
        assertEquals(count, 4);
        assertEquals(server.log.of("handshake:error:auth").length, 3);
        assertEquals(server.log.of("connect:retry").length, 3);
      });
    }
  }
});

describe("a server that connects to a client, and whose handler is broken,", () => {
  afterEach(() => stage.clear());

  it("comes back until the handler is right: the peer has done nothing wrong", async () => {
    let count = 0;
    await stage.handler((request) => zapReply(request, ++count < 4 ? { version: "2.0" } : {}));
    const socket = stage.cleanup.add(new Push({ ...SIDES.PLAIN.client, sendTimeout: 5_000 }));
    const log = new EventLog(socket);
    await socket.bind("tcp://127.0.0.1:*");
    const server = await stage.asking("tcp", "PLAIN");
    server.socket.reconnectInterval = 1;
    server.socket.connect(socket.lastEndpoint!);
    await assertLetIn({ socket, log }, server);
    assertEquals([count, server.log.of("handshake:error:protocol").length], [4, 3]);
  });
});

describe("a client that an Authenticator denied", () => {
  afterEach(() => stage.clear());

  it("comes in after configure, when it is sent again", async () => {
    const auth = stage.cleanup.add(
      new Authenticator({ context: stage.context, plain: { [USERNAME]: "changed" } }),
    );
    const server = await stage.asking("tcp", "PLAIN");
    const client = stage.coming(server.address, "PLAIN");
    await assertDenied(client, server, 400);
    auth.configure({ plain: { [USERNAME]: PASSWORD } });
    await assertStaysAway(client, server);
    client.socket.connect(server.address);
    await assertLetIn(client, server);
    assertEquals(auth.stats(), { accepted: 1, denied: 1, failed: 0 });
  });

  it("comes in with the right password, once it knows it", async () => {
    stage.cleanup.add(
      new Authenticator({ context: stage.context, plain: { [USERNAME]: PASSWORD } }),
    );
    const server = await stage.asking("tcp", "PLAIN");
    const client = stage.client(server.address, {
      plainUsername: USERNAME,
      plainPassword: "wrong",
    });
    await assertDenied(client, server, 400);
    client.socket.plainPassword = PASSWORD;
    client.socket.connect(server.address);
    await assertLetIn(client, server);
  });
});

describe("a refusal with reconnectStop", () => {
  afterEach(() => stage.clear());

  it("handshakeFailed is final even with 300", async () => {
    const handler = await stage.handler(withStatus("300"));
    const server = await stage.asking("tcp", "PLAIN");
    const { socket, log } = stage.client("tcp://127.0.0.1:9", SIDES.PLAIN.client);
    socket.disconnect("tcp://127.0.0.1:9");
    socket.reconnectStop = "handshakeFailed";
    const before = log.of("connect:retry").length;
    socket.connect(server.address);
    await server.log.next("handshake:error:auth");
    await log.next("disconnect");
    assertEquals(log.of("connect:retry").length, before);
    assertEquals(handler.requests.length, 1);
  });

  it("refused goes on after 300, as somebody listens", async () => {
    let count = 0;
    await stage.handler((request) => zapReply(request, { status: ++count < 3 ? "300" : "200" }));
    const server = await stage.asking("tcp", "PLAIN");
    const client = stage.coming(server.address, "PLAIN");
    client.socket.reconnectStop = "refused";
    await assertLetIn(client, server);
    await eventually(() => count === 3);
  });
});
