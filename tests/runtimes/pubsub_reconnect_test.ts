// Publishers and subscribers that go away and come back: the topics come back by themselves, once each.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { Publisher, Subscriber, XPublisher, XSubscriber } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import {
  numbers,
  peers,
  subscribed,
  subscriptionsOf,
  takeMany,
  takeTexts,
} from "../_util/pubsub.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { shakeHandsAsOld, takeRequest, takeRequests } from "../_util/raw_subscriptions.ts";
import { message, shakeHands, takeMessage } from "../_util/raw_zmtp.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const QUICK = { reconnectInterval: 5 } as const;
const RECEIVES = { receiveTimeout: 10_000 } as const;
/** More than any mark and any buffer here. */
const MANY = 5_000;
const cleanup = new Cleanup();

async function bound(endpoint: string): Promise<Publisher> {
  const publisher = cleanup.add(new Publisher());
  await publisher.bind(endpoint);
  return publisher;
}

function topics(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `topic ${i}/`);
}

describeOver(TRANSPORTS, "when the publisher is started again", (transport) => {
  afterEach(() => cleanup.run());

  it("the topics of a Subscriber come back", async () => {
    let publisher = await bound(await reserve(transport));
    const endpoint = publisher.lastEndpoint!;
    const subscriber = cleanup.add(new Subscriber({ ...QUICK, ...RECEIVES }));
    subscriber.connect(endpoint);
    subscriber.subscribe("a", "b", "b", "c", Uint8Array.of(0, 255));
    await subscribed(publisher, 4);
    subscriber.unsubscribe("c", "b");
    await subscribed(publisher, 3);
    for (let round = 0; round < 5; round++) {
      await publisher.close();
      publisher = await bound(endpoint);
      await subscribed(publisher, 3);
      assertEquals(publisher.topicsCount, 3);
      for (const text of [`c ${round}`, `a ${round}`, `x ${round}`, `b ${round}`]) {
        await publisher.send(text);
      }
      assertEquals(await takeMany(subscriber, 2), [`a ${round}`, `b ${round}`]);
    }
  });

  it("a Subscriber that is bound has its topics at the new one at once", async () => {
    const subscriber = cleanup.add(new Subscriber(RECEIVES));
    await subscriber.bind(anywhere(transport));
    subscriber.subscribe("a", "ab");
    for (let round = 0; round < 3; round++) {
      const publisher = cleanup.add(new Publisher());
      publisher.connect(subscriber.lastEndpoint!);
      await subscribed(publisher, 2);
      await publisher.send(`ab ${round}`);
      assertEquals(await takeTexts(subscriber), [`ab ${round}`]);
      await publisher.close();
    }
  });

  it(`${MANY} topics come back at small marks`, async () => {
    let publisher = await bound(await reserve(transport));
    const endpoint = publisher.lastEndpoint!;
    const subscriber = cleanup.add(
      new Subscriber({ ...QUICK, ...RECEIVES, receiveHighWaterMark: 10 }),
    );
    subscriber.connect(endpoint);
    subscriber.subscribe(...topics(MANY));
    for (let round = 0; round < 3; round++) {
      await subscribed(publisher, MANY);
      for (const topic of [topics(MANY)[0], "nothing", topics(MANY)[MANY - 1]]) {
        await publisher.send([topic, String(round)]);
      }
      assertEquals(await takeTexts(subscriber), ["topic 0/", String(round)]);
      assertEquals(await takeTexts(subscriber), [`topic ${MANY - 1}/`, String(round)]);
      await publisher.close();
      publisher = await bound(endpoint);
    }
  });

  it(`${MANY} topics of an XSubscriber come back at marks of 10`, async () => {
    const marks = { sendHighWaterMark: 10, receiveHighWaterMark: 10 };
    const subscriber = cleanup.add(new XSubscriber({ ...QUICK, ...RECEIVES, ...marks }));
    for (const topic of topics(MANY)) await subscriber.send(`\x01${topic}`);
    assertEquals(subscriber.topicsCount, MANY);
    let publisher = await bound(await reserve(transport));
    const endpoint = publisher.lastEndpoint!;
    subscriber.connect(endpoint);
    await subscribed(publisher, MANY);
    await publisher.close();
    publisher = await bound(endpoint);
    await subscribed(publisher, MANY);
    assertEquals(subscriber.stats().dropped, 0);
  });

  it("a Subscriber gets on with it in the middle of traffic", async () => {
    let publisher = await bound(await reserve(transport));
    const endpoint = publisher.lastEndpoint!;
    const subscriber = cleanup.add(new Subscriber({ ...QUICK, ...RECEIVES }));
    subscriber.connect(endpoint);
    subscriber.subscribe("n");
    let next = 0;
    let received = -1;
    let lives = 0;
    const receiving = (async () => {
      for await (const [, frame] of subscriber) {
        const number = Number(String(frame));
        assertGreater(number, received, "in order, none twice");
        received = number;
      }
    })();
    for (; lives < 5; lives++) {
      const before = received;
      await eventually(async () => {
        for (let i = 0; i < 20; i++) await publisher.send(["n", String(next++)]);
        return received >= before + 200;
      }, 10_000);
      await publisher.close();
      publisher = await bound(endpoint);
    }
    await subscriber.close();
    await receiving;
    assertGreater(received, 900);
  });
});

describeOver(TRANSPORTS, "when the subscriber is lost", (transport) => {
  afterEach(() => cleanup.run());

  it("its topics are gone at once, and the drops for it stay counted", async () => {
    const publisher = await bound(await reserve(transport));
    const lost = cleanup.add(new XSubscriber());
    lost.connect(publisher.lastEndpoint!);
    for (const topic of topics(1_000)) await lost.send(`\x01${topic}`);
    await subscribed(publisher, 1_000);
    await lost.close();
    await peers(publisher, 0);
    assertEquals(publisher.topicsCount, 0);
  });

  it("a hundred come and go without a trace, while one stays", async () => {
    const publisher = await bound(await reserve(transport));
    const faithful = cleanup.add(new Subscriber(RECEIVES));
    faithful.connect(publisher.lastEndpoint!);
    faithful.subscribe("");
    await subscribed(publisher, 1);
    for (let i = 0; i < 100; i++) {
      const guest = new Subscriber();
      guest.connect(publisher.lastEndpoint!);
      guest.subscribe("", `own ${i}`, "shared");
      if (i % 3 > 0) await eventually(() => publisher.topicsCount > 1);
      await publisher.send(String(i));
      await guest.close();
    }
    assertEquals(await takeMany(faithful, 100), numbers(100));
    await peers(publisher, 1);
    assertEquals([publisher.topicsCount, subscriptionsOf(publisher)], [1, 1]);
    assertLess(publisher.stats().dropped, 1);
  });
});

describeOver(TRANSPORTS, "when an XPublisher is started again", (transport) => {
  afterEach(() => cleanup.run());

  it("it reads the topics of everybody anew", async () => {
    let publisher = cleanup.add(new XPublisher(RECEIVES));
    await publisher.bind(await reserve(transport));
    const endpoint = publisher.lastEndpoint!;
    const subscriber = cleanup.add(new Subscriber(QUICK));
    subscriber.connect(endpoint);
    subscriber.subscribe("a", "b", "a");
    for (let round = 0; round < 3; round++) {
      const requests = await takeMany(publisher, 2);
      assertEquals(requests.sort(), ["\x01a", "\x01b"]);
      assertEquals(publisher.readable, false);
      await publisher.close();
      publisher = cleanup.add(new XPublisher(RECEIVES));
      await publisher.bind(endpoint);
    }
  });
});

describeOver(SYSTEM_TRANSPORTS, "on the wire, when a peer is lost", (transport) => {
  afterEach(() => cleanup.run());

  it("what its Subscriber changed meanwhile has changed, and comes once each", async () => {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const subscriber = cleanup.add(new Subscriber(QUICK));
    subscriber.connect(server.endpoint);
    subscriber.subscribe("a", "a", "b", "c");
    const first = await server.accept();
    await shakeHands(first, "PUB");
    assertEquals((await takeRequests(first, 3)).sort(), ["+a", "+b", "+c"]);
    first.destroy();
    subscriber.unsubscribe("a", "b");
    subscriber.subscribe("d", "d", "e");
    subscriber.unsubscribe("e");
    const second = await server.accept();
    await shakeHands(second, "PUB");
    assertEquals((await takeRequests(second, 3)).sort(), ["+a", "+c", "+d"]);
    subscriber.subscribe("end");
    assertEquals(await takeRequests(second, 1), ["+end"]);
  });

  for (const form of ["command", "message"] as const) {
    it(`${MANY} topics come back once each, as ${form}s`, async () => {
      const server = cleanup.add(await RawServer.listen(await reserve(transport)));
      const subscriber = cleanup.add(new Subscriber({ ...QUICK, receiveHighWaterMark: 10 }));
      subscriber.subscribe(...topics(MANY));
      subscriber.connect(server.endpoint);
      for (let round = 0; round < 3; round++) {
        const connection = await server.accept();
        if (form === "message") await shakeHandsAsOld(connection, "PUB");
        else await shakeHands(connection, "PUB");
        const seen = new Set<string>();
        for (let i = 0; i < MANY; i++) {
          const request = await takeRequest(connection);
          assert(request.subscribes);
          assertEquals(request.form, form);
          seen.add(new TextDecoder().decode(request.topic));
        }
        assertEquals(seen.size, MANY);
        assertEquals(connection.available, 0);
        connection.destroy();
      }
    });
  }

  it("the queue of its connect outlives a subscriber: what waited is sent when it is back, its topics are gone", async () => {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const publisher = cleanup.add(new Publisher({ ...QUICK, sendHighWaterMark: 10 }));
    publisher.connect(server.endpoint);
    const first = await server.accept();
    await shakeHands(first, "SUB");
    first.send(message(Uint8Array.of(1)));
    await subscribed(publisher, 1);
    first.pause();
    const body = new Uint8Array(100_000);
    let sent = 0;
    while (publisher.stats().dropped < 10) await publisher.send([String(sent++), body]);
    first.destroy();
    const second = await server.accept();
    await shakeHands(second, "SUB");
    await eventually(() => publisher.stats().peers.length === 1);
    assertEquals([publisher.topicsCount, subscriptionsOf(publisher)], [0, 0]);
    for (const text of numbers(100)) await publisher.send(text);
    second.send(message(Uint8Array.of(1)));
    await subscribed(publisher, 1);
    await publisher.send("new");
    const texts: string[] = [];
    while (texts.at(-1) !== "new") {
      const frames = await takeMessage(second);
      // Of the messages of the first life: whole, and in order; none of the time without topics.
      if (frames.length === 2) assertEquals(frames[1].length, 100_000);
      texts.push(String.fromCharCode(...frames[0]));
    }
    const old = texts.slice(0, -1).map(Number);
    assert(old.length >= 10, String(old));
    assert(old.every((number, i) => i === 0 || number === old[i - 1] + 1), String(old));
    assertEquals(old.at(-1), sent - publisher.stats().dropped - 1);
  });
});
