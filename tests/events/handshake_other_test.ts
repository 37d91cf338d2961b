// handshake:error:other: a handshake that nobody broke, and that came to nothing all the same.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Push } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS, type Transport } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { EventLog, plain } from "../_util/event_log.ts";
import { dial, type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { greeting, ready } from "../_util/raw_zmtp.ts";
import { assertSays } from "../_util/rejection.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const TYPE = "handshake:error:other";
const SHORT_MS = 80;
/** Enough for a peer that means well, however busy the machine is. */
const LONGER_MS = 1_000;
const cleanup = new Cleanup();

/** How far a peer goes before it falls silent or leaves. */
const STAGES: Readonly<Record<string, (connection: RawConnection) => void>> = {
  "before it said anything": () => {},
  "within its greeting": (connection) => connection.send(greeting().subarray(0, 11)),
  "after its greeting": (connection) => connection.send(greeting()),
  "within its READY": (connection) => connection.send(greeting(), ready("PUSH").subarray(0, 9)),
};

async function bound(
  options: object,
  transport: Transport = "tcp",
): Promise<[Pull, EventLog, string]> {
  const pull = cleanup.add(new Pull(options));
  const log = new EventLog(pull);
  await pull.bind(anywhere(transport));
  return [pull, log, pull.lastEndpoint!];
}

for (const [stage, speak] of Object.entries(STAGES)) {
  describeOver(SYSTEM_TRANSPORTS, `a peer that falls silent ${stage}`, (transport) => {
    afterEach(() => cleanup.run());

    it("is told after handshakeInterval to the side that bound", async () => {
      const [pull, log, address] = await bound({ handshakeInterval: SHORT_MS }, transport);
      const connection = cleanup.add(await dial(address));
      speak(connection);
      const event = await log.next(TYPE);
      const { peerAddress } = await log.next("accept");
      assertEquals(plain(event), { type: TYPE, address, peerAddress, error: "ETIMEDOUT" });
      assertSays(event.error, `${SHORT_MS} ms`);
      await connection.untilClosed();
      await pull.close();
      await log.over;
      assertEquals(log.of("handshake"), []);
    });

    it("is told after handshakeInterval to the side that connected, which tries again", async () => {
      const server = cleanup.add(await RawServer.listen(await reserve(transport)));
      const pull = cleanup.add(new Pull({ handshakeInterval: SHORT_MS, reconnectInterval: 5 }));
      const log = new EventLog(pull);
      const address = server.endpoint;
      pull.connect(address);
      speak(await server.accept());
      const event = await log.next(TYPE);
      assertEquals(plain(event), { type: TYPE, address, peerAddress: address, error: "ETIMEDOUT" });
      const retry = await log.next("connect:retry");
      assertEquals([retry.address, plain(retry).error], [address, "ETIMEDOUT"]);
      await server.accept();
      await log.nth("connect", 2);
    });
  });

  describeOver(SYSTEM_TRANSPORTS, `a peer that leaves ${stage}`, (transport) => {
    afterEach(() => cleanup.run());

    it("is told to the side that bound", async () => {
      const [, log, address] = await bound({}, transport);
      const connection = cleanup.add(await dial(address));
      speak(connection);
      connection.end();
      const event = await log.next(TYPE);
      const { peerAddress } = await log.next("accept");
      assertEquals([event.address, event.peerAddress], [address, peerAddress]);
      assert(event.error instanceof Error);
      assert(String(plain(event).error).startsWith("E"), event.error.message);
    });

    it("is told to the side that connected, which tries again", async () => {
      const server = cleanup.add(await RawServer.listen(await reserve(transport)));
      const pull = cleanup.add(new Pull({ reconnectInterval: 5 }));
      const log = new EventLog(pull);
      pull.connect(server.endpoint);
      const connection = await server.accept();
      speak(connection);
      connection.end();
      const event = await log.next(TYPE);
      assertEquals([event.address, event.peerAddress], [server.endpoint, server.endpoint]);
      assert(event.error instanceof Error);
      await log.next("connect:retry");
      await server.accept();
    });
  });
}

describe("a handshake that comes to nothing", () => {
  afterEach(() => cleanup.run());

  it("is never told with handshakeInterval 0, however long it takes", async () => {
    const [, log, address] = await bound({ handshakeInterval: 0 });
    const connection = cleanup.add(await dial(address));
    await log.next("accept");
    const other = cleanup.add(new Pull({ handshakeInterval: SHORT_MS }));
    const otherLog = new EventLog(other);
    await other.bind("tcp://127.0.0.1:*");
    cleanup.add(await dial(other.lastEndpoint!));
    await otherLog.next(TYPE);
    assertEquals(log.types, ["bind", "accept"]);
    connection.send(greeting(), ready("PUSH"));
    await log.next("handshake");
  });

  it("because this side was closed is no error of the peer's", async () => {
    const [pull, log, address] = await bound({});
    const connection = cleanup.add(await dial(address));
    await log.next("accept");
    await pull.close();
    await log.over;
    await connection.untilClosed();
    assertEquals(log.of("handshake:error:protocol"), []);
    assertEquals(log.types.at(-1), "end");
  });

  it("because the address was unbound is no error of the peer's", async () => {
    const [pull, log, address] = await bound({});
    const connection = cleanup.add(await dial(address));
    await log.next("accept");
    await pull.unbind(address);
    await connection.untilClosed();
    await log.next("close");
    assertEquals(log.types.filter((type) => type.startsWith("handshake")), []);
  });

  it("does not hold up others", async () => {
    const [pull, log, address] = await bound({
      receiveTimeout: 5_000,
      handshakeInterval: LONGER_MS,
    });
    for (let i = 0; i < 10; i++) cleanup.add(await dial(address));
    const push = cleanup.add(new Push());
    push.connect(address);
    await push.send("quick");
    assertEquals(String(await pull.receive()), "quick");
    await log.nth(TYPE, 10);
    assertEquals([log.of(TYPE).length, log.of("handshake").length], [10, 1]);
  });
});
