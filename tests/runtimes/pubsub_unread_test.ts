// Requests that nobody reads, and publishers that mean no good: marks hold, memory stays bounded, nothing wrong is delivered.

import { assert, assertEquals, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Subscriber, XPublisher, XSubscriber } from "../../mod.ts";
import { utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause, within } from "../_util/deadline.ts";
import { memory } from "../_util/memory.ts";
import { concat } from "../_util/octets.ts";
import { subscribed, takeTexts } from "../_util/pubsub.ts";
import { type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { cancelCommand, subscribeCommand } from "../_util/raw_subscriptions.ts";
import { connectAs, frame, longHeader, message, shakeHands } from "../_util/raw_zmtp.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const RECEIVES = { receiveTimeout: 10_000 } as const;
const MB = 1_000_000;
const cleanup = new Cleanup();

describe("an XPublisher whose requests nobody reads", () => {
  afterEach(() => cleanup.run());

  it("holds its marks of them, stops listening to that peer, and goes on sending", async () => {
    const source = cleanup.add(new XPublisher({ receiveHighWaterMark: 100 }));
    await source.bind(ANY_PORT);
    const subscriber = cleanup.add(new Subscriber(RECEIVES));
    subscriber.subscribe("healthy");
    subscriber.connect(source.lastEndpoint!);
    await subscribed(source, 1);
    const peer = cleanup.add(await connectAs(source.lastEndpoint!, "SUB"));
    const chunk = concat(
      ...Array.from({ length: 1_000 }, (_, i) => [
        subscribeCommand(`come and go ${i}`),
        cancelCommand(`come and go ${i}`),
        message("user message"),
      ]).flat(),
    );
    const before = memory();
    let chunks = 0;
    for (; chunks < 500; chunks++) {
      const flushed = peer.flush(chunk).then(() => true);
      if (!await Promise.race([flushed, pause(200).then(() => false)])) break;
      await source.send("healthy");
      assertEquals(await takeTexts(subscriber), ["healthy"]);
    }
    assertLess(memory() - before, 150 * MB);
    assertLess(chunks, 500, "the peer could send for ever");
    peer.destroy();
    await source.send("healthy");
    assertEquals(await takeTexts(subscriber), ["healthy"]);
    // Someone who reads gets on.
    source.receiveTimeout = 200;
    let read = 0;
    for await (const _ of drain(source)) read++;
    assert(read > 100, String(read));
  });
});

async function* drain(socket: XPublisher): AsyncGenerator<unknown> {
  for (;;) {
    const next = await socket.receive().catch(() => undefined);
    if (next === undefined) return;
    yield next;
  }
}

describe("a publisher that means no good", () => {
  afterEach(() => cleanup.run());

  async function victim(
    type: typeof Subscriber | typeof XSubscriber,
  ): Promise<[Subscriber | XSubscriber, RawConnection]> {
    const server = cleanup.add(await RawServer.listen());
    const subscriber = cleanup.add(new type({ ...RECEIVES, reconnectInterval: 5 }));
    if ("subscribe" in subscriber) subscriber.subscribe("a");
    else await subscriber.send("\x01a");
    subscriber.connect(server.endpoint);
    const peer = await server.accept();
    await shakeHands(peer, "PUB");
    return [subscriber, peer];
  }

  for (const type of [Subscriber, XSubscriber]) {
    it(`and sends subscriptions is not listened to by ${type.name}`, async () => {
      const [subscriber, peer] = await victim(type);
      peer.send(subscribeCommand("a"), cancelCommand("a"), cancelCommand("never"), message("a"));
      assertEquals(await takeTexts(subscriber), ["a"]);
      assertEquals(subscriber.topicsCount, 1);
      assert(!peer.isClosed);
    });
  }

  it("and floods what was not asked for takes no memory, and the rest arrives", async () => {
    const [subscriber, peer] = await victim(Subscriber);
    const before = memory();
    const junk = concat(
      ...Array.from({ length: 1_000 }, (_, i) => message(`b${i}`, "x".repeat(900))),
    );
    for (let i = 0; i < 100; i++) await within(peer.flush(junk), 5_000, `junk ${i}`);
    await peer.flush(message("a", "good"));
    assertEquals(await takeTexts(subscriber), ["a", "good"]);
    assertLess(memory() - before, 150 * MB);
    assertEquals(subscriber.readable, false);
  });

  it("and floods what was asked for is stopped at the mark", async () => {
    const [subscriber, peer] = await victim(Subscriber);
    const flooding = concat(
      ...Array.from({ length: 100 }, () => message("a", new Uint8Array(10_000))),
    );
    let sent = 0;
    while (sent < 200) {
      const flushed = peer.flush(flooding).then(() => true);
      if (!await Promise.race([flushed, pause(200).then(() => false)])) break;
      sent++;
    }
    assertLess(sent, 60, "the system's buffers and the mark hold so much at most");
    for (let i = 0; i < sent * 100; i++) assertEquals((await takeTexts(subscriber))[0], "a");
  });

  it("and breaks off in the middle of an unwanted message leaves the next one whole", async () => {
    const server = cleanup.add(await RawServer.listen());
    const subscriber = cleanup.add(new Subscriber({ ...RECEIVES, reconnectInterval: 5 }));
    subscriber.subscribe("a");
    subscriber.connect(server.endpoint);
    const halves = [
      frame("b", true),
      frame("a", true),
      concat(longHeader(100_000n), utf8("b")),
      concat(longHeader(100_000n), utf8("a")),
    ];
    for (const half of halves) {
      const peer = await server.accept();
      await shakeHands(peer, "PUB");
      await peer.flush(concat(message("b", "x"), message("a", "whole"), half));
      assertEquals(await takeTexts(subscriber), ["a", "whole"]);
      peer.destroy();
    }
    const last = await server.accept();
    await shakeHands(last, "PUB");
    last.send(message("tail"), message("a", "end"));
    assertEquals(await takeTexts(subscriber), ["a", "end"]);
  });
});
