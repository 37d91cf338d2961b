// handshake:error:protocol: what a peer does wrong in the handshake is told by its name, to the side that bound and to
// the side that connected, and touches nobody else.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { ProtocolError, Publisher, Pull, Push, Router } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { EventLog, plain } from "../_util/event_log.ts";
import { BROKEN_HANDSHAKES } from "../_util/handshakes.ts";
import { freeEndpoint } from "../_util/ports.ts";
import { dial, RawServer } from "../_util/raw_peer.ts";
import { connectAs } from "../_util/raw_zmtp.ts";
import { assertSays } from "../_util/rejection.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const TYPE = "handshake:error:protocol";
const cleanup = new Cleanup();

function open(options = {}): [Pull, EventLog] {
  const pull = cleanup.add(new Pull({ receiveTimeout: 5_000, ...options }));
  return [pull, new EventLog(pull)];
}

describeOver(SYSTEM_TRANSPORTS, "a socket that is bound tells that a peer", (transport) => {
  afterEach(() => cleanup.run());

  for (const [what, { octets, code, says }] of Object.entries(BROKEN_HANDSHAKES)) {
    it(what, async () => {
      const [pull, log] = open();
      await pull.bind(anywhere(transport));
      const address = pull.lastEndpoint!;
      const connection = cleanup.add(await dial(address));
      connection.send(octets);
      const event = await log.next(TYPE);
      const { peerAddress } = await log.next("accept");
      assertEquals(plain(event), { type: TYPE, address, peerAddress, error: code });
      assert(event.error instanceof ProtocolError);
      assertSays(event.error, ...says);
      await connection.untilClosed();

      const push = cleanup.add(new Push());
      push.connect(address);
      await push.send("somebody else");
      assertEquals(String(await pull.receive()), "somebody else");
      const { peerAddress: other } = await log.next("handshake");
      assertEquals(other === peerAddress, transport === "ipc", "a peer over ipc has no address");
      assertEquals([log.of(TYPE).length, log.of("handshake").length], [1, 1]);
    });
  }
});

describeOver(SYSTEM_TRANSPORTS, "a socket that connects tells that its peer", (transport) => {
  afterEach(() => cleanup.run());

  for (const [what, { octets, code, says }] of Object.entries(BROKEN_HANDSHAKES)) {
    it(what, async () => {
      const [pull, log] = open({ reconnectInterval: 1 });
      const server = cleanup.add(await RawServer.listen(await reserve(transport)));
      const address = server.endpoint;
      pull.connect(address);
      const connection = await server.accept();
      connection.send(octets);
      const event = await log.next(TYPE);
      assertEquals(plain(event), { type: TYPE, address, peerAddress: address, error: code });
      assert(event.error instanceof ProtocolError);
      assertSays(event.error, ...says);
      await connection.untilClosed();
      await pull.close();
      await log.over;
      assertEquals(log.types.slice(0, 4), ["connect:delay", "connect", TYPE, "disconnect"]);
      assertEquals(log.of("connect:retry"), [], "it would do so again");
      assertEquals(log.of("handshake"), []);
    });
  }
});

describe("a handshake of sockets that do not fit", () => {
  afterEach(() => cleanup.run());

  for (const transport of TRANSPORTS) {
    it(`is told to both on ${transport}`, async () => {
      const [pull, log] = open();
      await pull.bind(anywhere(transport));
      const address = pull.lastEndpoint!;
      const publisher = cleanup.add(new Publisher());
      const publisherLog = new EventLog(publisher);
      publisher.connect(address);
      const [atPull, atPublisher] = await Promise.all([log.next(TYPE), publisherLog.next(TYPE)]);
      for (const event of [atPull, atPublisher]) {
        assertEquals([event.address, plain(event).error], [address, "ERR_ZMTP_INVALID_METADATA"]);
      }
      assertSays(atPull.error, "PUB", "PULL");
      assertSays(atPublisher.error, "PUB", "PULL");
      const push = cleanup.add(new Push());
      push.connect(address);
      await push.send("one that fits");
      assertEquals(String(await pull.receive()), "one that fits");
    });
  }

  it("is not tried again, and what else is connected stays", async () => {
    const [pull, log] = open({ reconnectInterval: 1 });
    const push = cleanup.add(new Push());
    await push.bind("tcp://127.0.0.1:*");
    const publisher = cleanup.add(new Publisher());
    const publisherLog = new EventLog(publisher);
    await publisher.bind("tcp://127.0.0.1:*");
    pull.connect(push.lastEndpoint!);
    await log.next("handshake");
    pull.connect(publisher.lastEndpoint!);
    await Promise.all([log.next(TYPE), publisherLog.next(TYPE)]);
    for (let i = 0; i < 10; i++) {
      await push.send(`message ${i}`);
      assertEquals(String(await pull.receive()), `message ${i}`);
    }
    assertEquals([log.of(TYPE).length, publisherLog.of("accept").length], [1, 1]);
  });
});

describe("a handshake that breaks", () => {
  afterEach(() => cleanup.run());

  it("is told octet by octet as in one go", async () => {
    const [pull, log] = open();
    await pull.bind("tcp://127.0.0.1:*");
    const { octets, code } = BROKEN_HANDSHAKES["is of the wrong type"];
    const connection = cleanup.add(await dial(pull.lastEndpoint!));
    for (const octet of octets) await connection.flush(Uint8Array.of(octet));
    assertEquals(plain(await log.next(TYPE)).error, code);
  });

  it("is told before the connection is told to be over", async () => {
    const [pull, log] = open();
    await pull.bind("tcp://127.0.0.1:*");
    const connection = cleanup.add(await dial(pull.lastEndpoint!));
    connection.send(BROKEN_HANDSHAKES["speaks HTTP"].octets);
    await connection.untilClosed();
    await pull.close();
    await log.over;
    assertEquals(log.types, ["bind", "accept", TYPE, "disconnect", "close", "end"]);
    const [{ peerAddress }] = log.of("accept");
    assertEquals(plain(log.of("disconnect")[0]), {
      type: "disconnect",
      address: log.of("bind")[0].address,
      peerAddress,
      routingId: "",
      error: "ERR_ZMTP_UNSPECIFIED",
    });
  });

  it("is told as often as it happens", async () => {
    const [pull, log] = open();
    await pull.bind("tcp://127.0.0.1:*");
    for (let i = 0; i < 20; i++) {
      const connection = cleanup.add(await dial(pull.lastEndpoint!));
      connection.send(BROKEN_HANDSHAKES["wants the mechanism PLAIN"].octets);
      await connection.untilClosed();
    }
    await log.nth(TYPE, 20);
    const peers = new Set(log.of(TYPE).map(({ peerAddress }) => peerAddress));
    assertEquals(peers.size, 20);
  });

  it("because the routing id is taken tells why", async () => {
    const router = cleanup.add(new Router());
    const log = new EventLog(router);
    await router.bind("tcp://127.0.0.1:*");
    cleanup.add(await connectAs(router.lastEndpoint!, "DEALER", "twin"));
    await log.next("handshake");
    const twin = cleanup.add(await connectAs(router.lastEndpoint!, "DEALER", "twin"));
    await twin.untilClosed();
    await log.nth("handshake", 1);
    const failures = log.all.filter(({ type }) => type.startsWith("handshake:error:"));
    assertEquals(failures.length, 1, JSON.stringify(log.all.map(plain)));
    assertSays((failures[0] as unknown as { error: Error }).error, "twin");
    assertEquals(log.of("handshake").length, 1);
  });

  it("in a connection from an address of its own tells that address", async () => {
    const [pull, log] = open();
    await pull.bind("tcp://127.0.0.1:*");
    const source = await freeEndpoint();
    const publisher = cleanup.add(new Publisher());
    publisher.connect(pull.lastEndpoint!.replace("tcp://", `${source};`));
    assertEquals((await log.next(TYPE)).peerAddress, source);
  });
});
