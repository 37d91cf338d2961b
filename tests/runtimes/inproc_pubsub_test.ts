// Publish-subscribe over inproc, where nothing is under way: what was subscribed counts in the same tick.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Publisher, Subscriber, XPublisher, XSubscriber } from "../../mod.ts";
import { anywhere, type Transport } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { assertOctets, pattern } from "../_util/octets.ts";
import { numbers, subscribed, takeMany, takeTexts } from "../_util/pubsub.ts";
import { rejection } from "../_util/rejection.ts";

const RECEIVES = { receiveTimeout: 5_000, reconnectInterval: 5 } as const;
const cleanup = new Cleanup();

function fresh(): string {
  return anywhere("inproc");
}

describe("publish-subscribe over inproc", () => {
  afterEach(() => cleanup.run());

  async function pair(): Promise<[Publisher, Subscriber]> {
    const publisher = cleanup.add(new Publisher());
    await publisher.bind(fresh());
    const subscriber = cleanup.add(new Subscriber(RECEIVES));
    subscriber.connect(publisher.lastEndpoint!);
    return [publisher, subscriber];
  }

  it("serves a topic in the tick in which it is subscribed", async () => {
    const [publisher, subscriber] = await pair();
    for (let i = 0; i < 100; i++) {
      const topic = `topic ${i}`;
      void publisher.send(topic);
      assert(!subscriber.readable);
      subscriber.subscribe(topic);
      assertEquals(publisher.topicsCount, 1);
      void publisher.send(topic);
      assert(subscriber.readable);
      assertFrames(await subscriber.receive(), [topic]);
      subscriber.unsubscribe(topic);
      assertEquals(publisher.topicsCount, 0);
      void publisher.send(topic);
      assert(!subscriber.readable);
    }
  });

  it("brings the topics of a Subscriber to whom it meets, within connect or bind", async () => {
    const name = fresh();
    const publisher = cleanup.add(new Publisher());
    await publisher.bind(name);
    const subscriber = cleanup.add(new Subscriber(RECEIVES));
    subscriber.subscribe("a", "b", "a");
    subscriber.connect(name);
    assertEquals(publisher.topicsCount, 2);
    await publisher.send("a1");
    assertFrames(await subscriber.receive(), ["a1"]);
    await publisher.close();
    const successor = cleanup.add(new Publisher());
    await successor.bind(name);
    assertEquals(successor.topicsCount, 2);
    await successor.send("b1");
    assertFrames(await subscriber.receive(), ["b1"]);
  });

  it("ends all topics of who disconnects, and has them again with its return", async () => {
    const [publisher, subscriber] = await pair();
    subscriber.subscribe("x");
    await publisher.send("x1");
    assertFrames(await subscriber.receive(), ["x1"]);
    subscriber.disconnect(publisher.lastEndpoint!);
    assertEquals(publisher.topicsCount, 0);
    await publisher.send("x2");
    assert(!subscriber.readable);
    subscriber.connect(publisher.lastEndpoint!);
    await publisher.send("x3");
    assertFrames(await subscriber.receive(), ["x3"]);
  });

  it("tells an XPublisher of topics, of their ends and of user messages, in order", async () => {
    const publisher = cleanup.add(new XPublisher({ ...RECEIVES, receiveTimeout: 0 }));
    await publisher.bind(fresh());
    const subscriber = cleanup.add(new XSubscriber(RECEIVES));
    subscriber.connect(publisher.lastEndpoint!);
    for (const text of ["\x01a", "user", "\x01b", "\0a"]) await subscriber.send(text);
    assertEquals(await takeMany(publisher, 4), ["\x01a", "user", "\x01b", "\0a"]);
    await subscriber.send(["two", "frames"]);
    assertEquals(await takeTexts(publisher), ["two", "frames"]);
    await subscriber.close();
    assertEquals(await takeTexts(publisher), ["\0b"]);
    await rejection(publisher.receive(), "EAGAIN");
  });

  it("sends each message to those who want it, over inproc and tcp alike", async () => {
    const publisher = cleanup.add(new Publisher());
    const transports: readonly Transport[] = ["inproc", "tcp", "inproc", "ipc"];
    const subscribers: Subscriber[] = [];
    for (const [i, transport] of transports.entries()) {
      await publisher.bind(anywhere(transport));
      const subscriber = cleanup.add(new Subscriber(RECEIVES));
      subscriber.connect(publisher.lastEndpoint!);
      subscriber.subscribe("all", `for ${i}`);
      subscribers.push(subscriber);
    }
    await subscribed(publisher, 8);
    const body = pattern(100_000);
    await publisher.send(["all", body]);
    for (const i of transports.keys()) await publisher.send([`for ${i}`, body]);
    await publisher.send("all");
    for (const [i, subscriber] of subscribers.entries()) {
      for (const topic of ["all", `for ${i}`]) {
        const [first, rest] = await subscriber.receive();
        assertEquals(String(first), topic);
        assertOctets(rest, body);
      }
      assertEquals(await takeTexts(subscriber), ["all"]);
    }
  });

  it("with conflate leaves the newest to read, and drops nothing", async () => {
    const publisher = cleanup.add(new Publisher({ sendHighWaterMark: 1 }));
    await publisher.bind(fresh());
    const subscriber = cleanup.add(new Subscriber({ ...RECEIVES, conflate: true }));
    subscriber.connect(publisher.lastEndpoint!);
    subscriber.subscribe("");
    for (const text of numbers(50)) await publisher.send(text);
    assertFrames(await subscriber.receive(), ["49"]);
    assert(!subscriber.readable);
    assertEquals(publisher.stats().dropped, 0);
  });
});
