// The events of high-water marks: full:send, full:receive and drop.

import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Publisher, Pull, Push, Router, Subscriber, XPublisher } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { EventLog, plain } from "../_util/event_log.ts";
import { fill } from "../_util/filling.ts";
import { freeEndpoint } from "../_util/ports.ts";
import { subscribeCommand } from "../_util/raw_subscriptions.ts";
import { connectAs } from "../_util/raw_zmtp.ts";
import { rejection } from "../_util/rejection.ts";

const BODY = new Uint8Array(10_000);
const cleanup = new Cleanup();

async function joined(
  transport: Transport,
  sendHighWaterMark: number,
  receiveHighWaterMark: number,
): Promise<[Push, EventLog, Pull, EventLog, address: string]> {
  const pull = cleanup.add(new Pull({ receiveHighWaterMark, receiveTimeout: 5_000 }));
  const push = cleanup.add(new Push({ sendHighWaterMark, linger: 0 }));
  const logs = [new EventLog(push), new EventLog(pull)];
  await pull.bind(anywhere(transport));
  const address = pull.lastEndpoint!;
  push.connect(address);
  await Promise.all(logs.map((log) => log.next("handshake")));
  return [push, logs[0], pull, logs[1], address];
}

for (const transport of TRANSPORTS) {
  describe(`a high-water mark that is reached on ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("is told once to the sender, and again when it was left and reached again", async () => {
      const [push, log, pull, , address] = await joined(transport, 10, 10);
      const count = await fill(push, [BODY]);
      assertGreater(count, 10);
      const expected = { type: "full:send", address, peerAddress: address };
      assertEquals(plain(await log.next("full:send")), expected);
      const told = log.of("full:send").length;
      push.sendTimeout = 1;
      for (let i = 0; i < 10; i++) await rejection(push.send("late"), "EAGAIN");
      assertEquals(log.of("full:send").length, told, "not for each message that had to wait");
      for (let i = 0; i < count; i++) await pull.receive();
      await fill(push, [BODY]);
      await log.nth("full:send", told + 1);
      assertEquals(log.of("drop"), []);
    });

    it("is not told when there is room for all", async () => {
      const [push, log, pull, pullLog] = await joined(transport, 100, 100);
      for (let i = 0; i < 50; i++) await push.send(BODY);
      for (let i = 0; i < 50; i++) await pull.receive();
      for (const { types } of [log, pullLog]) {
        assertEquals(types.filter((type) => type.startsWith("full:") || type === "drop"), []);
      }
    });

    it("tells a publisher which messages it drops, as many as its figures count", async () => {
      const publisher = cleanup.add(new Publisher({ sendHighWaterMark: 5 }));
      const subscriber = cleanup.add(new Subscriber({ receiveHighWaterMark: 5 }));
      const log = new EventLog(publisher);
      await publisher.bind(anywhere(transport));
      subscriber.connect(publisher.lastEndpoint!);
      subscriber.subscribe("");
      await eventually(() => publisher.topicsCount === 1);
      const counts: number[] = [];
      for (let i = 0; publisher.stats().dropped < 100; i++) {
        await publisher.send(["topic", BODY]);
        counts.push(publisher.stats().dropped);
      }
      const told = () => log.of("drop").reduce((sum, { count }) => sum + count, 0);
      await eventually(() => told() === publisher.stats().dropped);
      assertGreater(log.of("full:send").length, 0);
      const address = publisher.lastEndpoint!;
      const { peerAddress } = await log.next("accept");
      for (const event of log.of("drop")) {
        const { count } = event;
        assertEquals(plain(event), { type: "drop", address, peerAddress, count });
        assertGreater(event.count, 0);
      }
      assertLessOrEqual(log.types.indexOf("full:send"), log.types.indexOf("drop"));
    });
  });
}

for (const transport of SYSTEM_TRANSPORTS) {
  describe(`the receiver's high-water mark on ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("is told once to the receiver, and again when it was left and reached again", async () => {
      const [push, , pull, log, address] = await joined(transport, 0, 10);
      const { peerAddress } = await log.next("accept");
      for (let i = 0; i < 20; i++) await push.send("x");
      const expected = { type: "full:receive", address, peerAddress };
      assertEquals(plain(await log.next("full:receive")), expected);
      for (let i = 0; i < 20; i++) await pull.receive();
      assertEquals(log.of("full:receive").length, 1);
      for (let i = 0; i < 20; i++) await push.send("y");
      await log.next("full:receive");
      for (let i = 0; i < 20; i++) await pull.receive();
      assertEquals(log.of("full:receive").length, 2);
    });
  });
}

describe("a high-water mark", () => {
  afterEach(() => cleanup.run());

  it("is told when nobody is there yet", async () => {
    const push = cleanup.add(new Push({ sendHighWaterMark: 3, linger: 0, sendTimeout: 50 }));
    const log = new EventLog(push);
    const address = await freeEndpoint();
    push.connect(address);
    assertEquals(await fill(push, ["x"]), 3);
    const { type, address: where } = await log.next("full:send");
    assertEquals([type, where], ["full:send", address]);
  });

  it("tells of the one peer of many that is slow", async () => {
    const publisher = cleanup.add(new XPublisher({ sendHighWaterMark: 20 }));
    const log = new EventLog(publisher);
    await publisher.bind("tcp://127.0.0.1:*");
    const slow = cleanup.add(await connectAs(publisher.lastEndpoint!, "SUB"));
    slow.send(subscribeCommand("slow"));
    slow.pause();
    const quick = cleanup.add(new Subscriber({ receiveTimeout: 5_000, receiveHighWaterMark: 0 }));
    quick.connect(publisher.lastEndpoint!);
    quick.subscribe("");
    await eventually(() => publisher.topicsCount === 2);
    for (let i = 0; publisher.stats().dropped === 0; i++) {
      await publisher.send(["slow", BODY]);
      await quick.receive();
    }
    await log.next("drop");
    const address = publisher.stats().peers.find(({ dropped }) => dropped > 0)!.address;
    const marks = log.all.filter(({ type }) => type === "drop" || type === "full:send");
    for (const mark of marks) assertEquals(plain(mark).peerAddress, address);
  });

  it("of a Router that has to drop is told, and counted", async () => {
    const router = cleanup.add(new Router({ sendHighWaterMark: 5, linger: 0 }));
    const log = new EventLog(router);
    await router.bind("tcp://127.0.0.1:*");
    const dealer = cleanup.add(new Dealer({ routingId: "slow", receiveHighWaterMark: 5 }));
    dealer.connect(router.lastEndpoint!);
    await log.next("handshake");
    while (router.stats().dropped < 10) await router.send(["slow", BODY]);
    await log.next("drop");
    const told = () => log.of("drop").reduce((sum, { count }) => sum + count, 0);
    await eventually(() => told() === router.stats().dropped);
    assertGreater(log.of("full:send").length, 0);
  });

  it("of 0 is never reached", async () => {
    const push = cleanup.add(new Push({ sendHighWaterMark: 0, linger: 0 }));
    const log = new EventLog(push);
    push.connect(await freeEndpoint());
    for (let i = 0; i < 5_000; i++) await push.send("x");
    assertEquals(log.of("full:send"), []);
  });
});
