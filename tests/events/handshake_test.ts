// The event of a handshake that worked, with who the peer is.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames, toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { EventLog, plain } from "../_util/event_log.ts";
import { freeEndpoint } from "../_util/ports.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { connectAs, shakeHands, takeMessage } from "../_util/raw_zmtp.ts";

const cleanup = new Cleanup();

/** Pairs of sockets that talk to each other, with the names of their types. */
const PAIRS: readonly [bound: () => Socket, boundType: string, () => Socket, type: string][] = [
  [() => new Pair(), "PAIR", () => new Pair(), "PAIR"],
  [() => new Pull(), "PULL", () => new Push(), "PUSH"],
  [() => new Reply(), "REP", () => new Request(), "REQ"],
  [() => new Router(), "ROUTER", () => new Dealer(), "DEALER"],
  [() => new Publisher(), "PUB", () => new Subscriber(), "SUB"],
  [() => new XPublisher(), "XPUB", () => new XSubscriber(), "XSUB"],
];

for (const transport of TRANSPORTS) {
  describe(`a handshake on ${transport}`, () => {
    afterEach(() => cleanup.run());

    for (const [open, boundType, openOther, type] of PAIRS) {
      it(`tells a ${boundType} of a ${type}, and the other way`, async () => {
        const [bound, connected] = [cleanup.add(open()), cleanup.add(openOther())];
        const logs = [new EventLog(bound), new EventLog(connected)];
        await bound.bind(anywhere(transport));
        const address = bound.lastEndpoint!;
        connected.connect(address);
        const [atBound, atConnected] = await Promise.all(
          logs.map((log) => log.next("handshake")),
        );
        assertEquals([atBound.address, atBound.socketType], [address, type]);
        assertEquals([atConnected.address, atConnected.socketType], [address, boundType]);
        if (transport === "tcp") {
          const { peerAddress } = await logs[0].next("accept");
          assertEquals(atBound.peerAddress, peerAddress);
        } else {
          assertEquals(atBound.peerAddress, address);
        }
        assertEquals(atConnected.peerAddress, address);
        assertEquals(logs.map((log) => log.of("handshake").length), [1, 1]);
      });
    }

    it("tells the routing ids that were announced, text or octets", async () => {
      const router = cleanup.add(new Router({ routingId: "the server" }));
      const log = new EventLog(router);
      await router.bind(anywhere(transport));
      for (const routingId of ["client", Uint8Array.of(0xff, 0, 0x80)]) {
        const dealer = cleanup.add(new Dealer({ routingId }));
        const dealerLog = new EventLog(dealer);
        dealer.connect(router.lastEndpoint!);
        const octets = typeof routingId === "string" ? utf8(routingId) : routingId;
        assertEquals(toHex((await log.next("handshake")).routingId), toHex(octets));
        assertEquals(
          toHex((await dealerLog.next("handshake")).routingId),
          toHex(utf8("the server")),
        );
      }
    });

    it("tells a Router the routing id that it gives to a peer without one", async () => {
      const router = cleanup.add(new Router({ receiveTimeout: 5_000 }));
      const log = new EventLog(router);
      await router.bind(anywhere(transport));
      const dealer = cleanup.add(new Dealer());
      dealer.connect(router.lastEndpoint!);
      await dealer.send("who am I?");
      const [id] = await router.receive();
      const { routingId } = await log.next("handshake");
      assert(routingId.length > 0);
      assertEquals(toHex(routingId), toHex(id));
    });

    it("tells a Router the routing id under which it connected", async () => {
      const dealer = cleanup.add(new Dealer({ routingId: "its own" }));
      await dealer.bind(anywhere(transport));
      const router = cleanup.add(new Router());
      const log = new EventLog(router);
      router.connect(dealer.lastEndpoint!, { routingId: "ours" });
      assertEquals(toHex((await log.next("handshake")).routingId), toHex(utf8("ours")));
    });

    it("tells an empty routing id when there is none", async () => {
      const pull = cleanup.add(new Pull());
      const log = new EventLog(pull);
      await pull.bind(anywhere(transport));
      cleanup.add(new Push()).connect(pull.lastEndpoint!);
      const { routingId } = await log.next("handshake");
      assert(routingId instanceof Uint8Array);
      assertEquals(routingId.length, 0);
    });
  });
}

for (const transport of SYSTEM_TRANSPORTS) {
  describe(`handshakes on ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("are told again when the connection is made again", async () => {
      const push = cleanup.add(new Push({ reconnectInterval: 5, linger: 0 }));
      const log = new EventLog(push);
      const pull = new Pull();
      await pull.bind(transport === "tcp" ? anywhere("tcp") : "ipc://*");
      const address = transport === "tcp" ? pull.lastEndpoint! : `ipc://@wasmq-${Math.random()}`;
      if (transport === "ipc") await pull.bind(address);
      push.connect(address);
      await log.next("handshake");
      await pull.close();
      await log.next("disconnect");
      await cleanup.add(new Pull()).bind(address);
      assertEquals((await log.next("handshake")).address, address);
    });
  });
}

describe("a handshake", () => {
  afterEach(() => cleanup.run());

  it("is told with all its values to the side that bound", async () => {
    const router = cleanup.add(new Router());
    const log = new EventLog(router);
    await router.bind("tcp://127.0.0.1:*");
    const address = router.lastEndpoint!;
    const peerAddress = await freeEndpoint();
    const dealer = cleanup.add(new Dealer({ routingId: "me" }));
    dealer.connect(address.replace("tcp://", `${peerAddress};`));
    assertEquals(plain(await log.next("handshake")), {
      type: "handshake",
      address,
      peerAddress,
      routingId: toHex(utf8("me")),
      socketType: "DEALER",
      protocol: "3.1",
    });
  });

  it("is told with all its values to the side that connected", async () => {
    const server = cleanup.add(await RawServer.listen());
    const dealer = cleanup.add(new Dealer());
    const log = new EventLog(dealer);
    const address = server.endpoint.replace("127.0.0.1", "localhost");
    dealer.connect(address);
    await shakeHands(await server.accept(), "ROUTER", "boss");
    assertEquals(plain(await log.next("handshake")), {
      type: "handshake",
      address,
      peerAddress: server.endpoint,
      routingId: toHex(utf8("boss")),
      socketType: "ROUTER",
      protocol: "3.1",
    });
  });

  it("has octets of its own: the peer's traffic does not change them", async () => {
    const router = cleanup.add(new Router({ receiveTimeout: 5_000, mandatory: true }));
    const log = new EventLog(router);
    await router.bind("tcp://127.0.0.1:*");
    const connection = cleanup.add(await connectAs(router.lastEndpoint!, "DEALER", "before"));
    const event = await log.next("handshake");
    event.routingId.fill(0x2e);
    router.stats().peers[0].routingId.fill(0x2e);
    const dealer = cleanup.add(new Dealer({ routingId: "after" }));
    dealer.connect(router.lastEndpoint!);
    await dealer.send("x");
    assertEquals(String((await router.receive())[0]), "after");
    await router.send(["before", "still known by its name"]);
    assertFrames(await takeMessage(connection), ["still known by its name"]);
    connection.destroy();
    assertEquals(toHex((await log.next("disconnect")).routingId), toHex(utf8("before")));
  });
});
