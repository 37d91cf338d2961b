// The event of a connection that is over, with the reason why, and what follows it.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, ProtocolError, Pull, Push, Router, type Socket } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause } from "../_util/deadline.ts";
import { EventLog, plain } from "../_util/event_log.ts";
import { type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { command, connectAs, longHeader, message, shakeHands } from "../_util/raw_zmtp.ts";
import { assertSays } from "../_util/rejection.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const COMMAND = 4;
/** More than a peer that was told to pause reads all the same. */
const LONG = new Uint8Array(1_000_000);
/** Time for octets to arrive. */
const ARRIVAL_MS = 50;
const cleanup = new Cleanup();

async function bound<S extends Socket>(
  socket: S,
  transport: Transport = "tcp",
): Promise<[S, EventLog, string]> {
  cleanup.add(socket);
  const log = new EventLog(socket);
  await socket.bind(anywhere(transport));
  return [socket, log, socket.lastEndpoint!];
}

/** What a peer does wrong after its handshake with a Router, the code, and words of the text. */
const FAULTS: Readonly<Record<string, [Uint8Array, code: string, ...says: string[]]>> = {
  "sends flags that do not exist": [
    Uint8Array.of(0x88, 1, 0),
    "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
    "flags 0x88",
  ],
  "sends a message of a million octets where 1000 are allowed": [
    longHeader(1_000_000n),
    "EMSGSIZE",
    "1000000",
    "1000",
    "maxMessageSize",
  ],
  "sends a command of a gigabyte": [
    longHeader(1_000_000_000n, COMMAND),
    "EMSGSIZE",
    "command of 1000000000",
  ],
  "sends a PING without a time to live": [
    command("PING", Uint8Array.of(0)),
    "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
    "PING",
  ],
  "sends a PING with a context of 17 octets": [
    command("PING", new Uint8Array(19)),
    "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
    "PING",
    "17",
  ],
  "sends a command without a name": [
    Uint8Array.of(COMMAND, 1, 0),
    "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
    "without a name",
  ],
};

describeOver(SYSTEM_TRANSPORTS, "a connection that a peer ends", (transport) => {
  afterEach(() => cleanup.run());

  it("in peace is told without an error to the side that bound", async () => {
    const [, log, address] = await bound(new Router(), transport);
    const connection = await connectAs(address, "DEALER", "me");
    const { peerAddress } = await log.next("handshake");
    connection.destroy();
    assertEquals(plain(await log.next("disconnect")), {
      type: "disconnect",
      address,
      peerAddress,
      routingId: toHex(utf8("me")),
    });
    assertEquals(log.types, ["bind", "accept", "handshake", "disconnect"]);
  });

  it("in peace is told without an error to the side that connected, which tries again", async () => {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const dealer = cleanup.add(new Dealer({ reconnectInterval: 5 }));
    const log = new EventLog(dealer);
    const address = server.endpoint;
    dealer.connect(address);
    const connection = await server.accept();
    await shakeHands(connection, "ROUTER", "boss");
    await log.next("handshake");
    connection.destroy();
    assertEquals(plain(await log.next("disconnect")), {
      type: "disconnect",
      address,
      peerAddress: address,
      routingId: toHex(utf8("boss")),
    });
    const retry = await log.next("connect:retry");
    assertEquals([retry.address, retry.error], [address, undefined]);
    await log.nth("connect", 2);
    const life = ["connect:delay", "connect", "handshake", "disconnect", "connect:retry"];
    assertEquals(log.types.slice(0, 7), [...life, "connect:delay", "connect"]);
  });
});

describe("a connection that a peer ends", () => {
  afterEach(() => cleanup.run());

  it("by a reset is told with the system's error", async () => {
    const [router, log, address] = await bound(new Router());
    const connection = await connectAs(address, "DEALER", "rude");
    await log.next("handshake");
    await reset(connection, () => router.send(["rude", LONG]));
    const event = await log.next("disconnect");
    assertEquals(plain(event).error, "ECONNRESET");
    assert(event.error!.message.length > 0);
  });

  it("by a reset is told to the side that connected, and the wait has the same reason", async () => {
    const server = cleanup.add(await RawServer.listen());
    const dealer = cleanup.add(new Dealer({ reconnectInterval: 5 }));
    const log = new EventLog(dealer);
    dealer.connect(server.endpoint);
    const connection = await server.accept();
    await shakeHands(connection, "ROUTER");
    await log.next("handshake");
    await reset(connection, () => dealer.send(LONG));
    assertEquals(plain(await log.next("disconnect")).error, "ECONNRESET");
    assertEquals(plain(await log.next("connect:retry")).error, "ECONNRESET");
  });

  /** Ends a connection with octets unread, which the system tells the other side by a reset. */
  async function reset(connection: RawConnection, send: () => Promise<void>): Promise<void> {
    connection.pause();
    await send();
    await pause(ARRIVAL_MS);
    connection.destroy();
  }
});

describeOver(SYSTEM_TRANSPORTS, "a connection is over because the peer", (transport) => {
  afterEach(() => cleanup.run());

  for (const [what, [octets, code, ...says]] of Object.entries(FAULTS)) {
    it(what, async () => {
      const [router, log, address] = await bound(
        new Router({ maxMessageSize: 1_000, receiveTimeout: 5_000 }),
        transport,
      );
      const connection = cleanup.add(await connectAs(address, "DEALER", "broken"));
      const healthy = cleanup.add(await connectAs(address, "DEALER", "healthy"));
      await log.nth("handshake", 2);
      connection.send(message("before"), octets);
      const event = await log.next("disconnect");
      assertEquals(event.address, address);
      assertEquals(toHex(event.routingId), toHex(utf8("broken")));
      assertEquals(plain(event).error, code);
      assert(event.error instanceof ProtocolError);
      assertSays(event.error, "peer", ...says);
      await connection.untilClosed();
      assertEquals((await router.receive()).map(String), ["broken", "before"]);
      healthy.send(message("still here"));
      assertEquals((await router.receive()).map(String), ["healthy", "still here"]);
      assertEquals(log.of("disconnect").length, 1);
      assertEquals(log.of("handshake:error:protocol"), [], "the handshake was fine");
    });
  }
});

describe("a connection is over because the peer", () => {
  afterEach(() => cleanup.run());

  it("fell silent: no answer to a heartbeat", async () => {
    const [, log, address] = await bound(new Router({ heartbeatInterval: 40 }));
    cleanup.add(await connectAs(address, "DEALER", "silent"));
    const event = await log.next("disconnect");
    assertEquals(toHex(event.routingId), toHex(utf8("silent")));
    assertEquals(plain(event).error, "ETIMEDOUT");
    assertSays(event.error!, "40 ms");
  });

  it("breaks the protocol, and it is not dialled again", async () => {
    const server = cleanup.add(await RawServer.listen());
    const dealer = cleanup.add(new Dealer({ reconnectInterval: 1 }));
    const log = new EventLog(dealer);
    dealer.connect(server.endpoint);
    const connection = await server.accept();
    await shakeHands(connection, "ROUTER");
    connection.send(Uint8Array.of(0x88, 1, 0));
    const event = await log.next("disconnect");
    assert(event.error instanceof ProtocolError);
    await connection.untilClosed();
    await dealer.close();
    await log.over;
    assertEquals(log.of("connect:retry"), []);
    assertEquals(server.count, 1);
  });
});

for (const transport of TRANSPORTS) {
  describe(`a connection by ${transport}`, () => {
    afterEach(() => cleanup.run());

    async function joined(): Promise<[Router, EventLog, Dealer, EventLog, address: string]> {
      const router = cleanup.add(new Router());
      const dealer = cleanup.add(new Dealer({ routingId: "dealer", reconnectInterval: 5 }));
      const logs = [new EventLog(router), new EventLog(dealer)];
      await router.bind(anywhere(transport));
      const address = router.lastEndpoint!;
      dealer.connect(address);
      await Promise.all(logs.map((log) => log.next("handshake")));
      return [router, logs[0], dealer, logs[1], address];
    }

    it("is told to be over when the connecting socket is closed", async () => {
      const [, log, dealer, , address] = await joined();
      await dealer.close();
      const event = await log.next("disconnect");
      assertEquals([event.address, event.error], [address, undefined]);
      assertEquals(toHex(event.routingId), toHex(utf8("dealer")));
    });

    it("is told to be over when the connecting socket disconnects", async () => {
      const [, log, dealer, dealerLog, address] = await joined();
      dealer.disconnect(address);
      const event = await log.next("disconnect");
      assertEquals([event.address, event.error], [address, undefined]);
      await dealer.close();
      await dealerLog.over;
      assertEquals(dealerLog.of("connect:retry"), []);
      assert(dealerLog.of("disconnect").length <= 1);
    });

    it("is told to be over when the bound socket is closed", async () => {
      const [router, log, , dealerLog, address] = await joined();
      await router.close();
      await log.over;
      const event = await dealerLog.next("disconnect");
      assertEquals([event.address, event.error], [address, undefined]);
      assertEquals(log.types.at(-1), "end");
    });

    it("is told to be over when the address is unbound", async () => {
      const [router, log, , dealerLog, address] = await joined();
      await router.unbind(address);
      const event = await dealerLog.next("disconnect");
      assertEquals([event.address, event.error], [address, undefined]);
      assertEquals((await log.next("close")).address, address);
    });

    it("is told once for each peer that leaves", async () => {
      const pull = cleanup.add(new Pull());
      const log = new EventLog(pull);
      await pull.bind(anywhere(transport));
      const pushes = Array.from({ length: 10 }, () => cleanup.add(new Push()));
      for (const push of pushes) push.connect(pull.lastEndpoint!);
      await log.nth("handshake", 10);
      await Promise.all(pushes.slice(0, 7).map((push) => push.close()));
      await log.nth("disconnect", 7);
      await pull.close();
      await log.over;
      const peers = log.of("disconnect").slice(0, 7).map(({ peerAddress }) => peerAddress);
      if (transport === "tcp") assertEquals(new Set(peers).size, 7);
    });
  });
}
