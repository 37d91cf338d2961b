// PUB and SUB: who gets what. Topics are prefixes of octets, counted at the subscriber.

import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "@std/testing/bdd";
import { Publisher, Subscriber } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, staysPending } from "../_util/deadline.ts";
import { concat } from "../_util/octets.ts";
import {
  expectOnly,
  numbers,
  subscribed,
  subscriptionsOf,
  takeMany,
  takeTexts,
} from "../_util/pubsub.ts";
import { message, shakeHands } from "../_util/raw_zmtp.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { takeRequests } from "../_util/raw_subscriptions.ts";
import { rejection } from "../_util/rejection.ts";
import { describeOver, reserve } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const QUICK = { reconnectInterval: 5 } as const;
/** Every subscriber here has this topic too: what comes before its message is all that came. */
const MARK = "~";
const cleanup = new Cleanup();

let publisher: Publisher;
let subscriber: Subscriber;

async function openPair(transport: Transport): Promise<void> {
  publisher = cleanup.add(new Publisher());
  await publisher.bind(await reserve(transport));
  subscriber = cleanup.add(new Subscriber(RECEIVES));
  subscriber.connect(publisher.lastEndpoint!);
  subscriber.subscribe(MARK);
  await subscribed(publisher, 1);
}

function expects(sent: readonly string[], expected: readonly string[]): Promise<void> {
  return expectOnly(publisher, subscriber, MARK, sent, expected);
}

describeOver(TRANSPORTS, "a Subscriber", (transport) => {
  beforeEach(() => openPair(transport));
  afterEach(() => cleanup.run());

  it("gets nothing without a subscription", async () => {
    await expects(["a", "", "b"], []);
  });

  it("gets what starts with its topic", async () => {
    subscriber.subscribe("news");
    await subscribed(publisher, 2);
    await expects(["news", "news.sport", "new", "old news", "News", ""], ["news", "news.sport"]);
  });

  it("may subscribe to several topics at once", async () => {
    subscriber.subscribe("a", "b", utf8("c"));
    await subscribed(publisher, 4);
    await expects(["a1", "b1", "c1", "d1"], ["a1", "b1", "c1"]);
    subscriber.unsubscribe("a", utf8("b"));
    await subscribed(publisher, 2);
    await expects(["a1", "b1", "c1", "d1"], ["c1"]);
  });

  it("gets everything when it subscribes to no topic in particular", async () => {
    subscriber.subscribe();
    await subscribed(publisher, 2);
    await expects(["a", "", "\0", "zz"], ["a", "", "\0", "zz"]);
    subscriber.unsubscribe();
    await subscribed(publisher, 1);
    await expects(["a", ""], []);
  });

  it("takes no topic and the empty topic for the same", async () => {
    subscriber.subscribe();
    subscriber.subscribe("");
    subscriber.subscribe(new Uint8Array(0));
    assertEquals(subscriber.topicsCount, 2);
    subscriber.unsubscribe("");
    subscriber.unsubscribe();
    await subscribed(publisher, 2);
    await expects(["a"], ["a"]);
    subscriber.unsubscribe(new Uint8Array(0));
    await subscribed(publisher, 1);
    await expects(["a"], []);
  });

  it("takes a text and its UTF-8 for the same topic", async () => {
    subscriber.subscribe("grün");
    subscriber.subscribe(utf8("grün"));
    assertEquals(subscriber.topicsCount, 2);
    await subscribed(publisher, 2);
    subscriber.unsubscribe(utf8("grün"));
    subscriber.unsubscribe("grün");
    await subscribed(publisher, 1);
  });

  it("may have topics that are no text", async () => {
    const topics = [[0], [0xff, 0xfe], [0xc3], [1, 2, 3]].map((x) => Uint8Array.from(x));
    subscriber.subscribe(...topics);
    await subscribed(publisher, 1 + topics.length);
    const sent = [...topics, Uint8Array.of(0xff), Uint8Array.of(1, 2), Uint8Array.of(0, 9)];
    for (const octets of sent) await publisher.send(octets);
    for (const octets of [...topics, Uint8Array.of(0, 9)]) {
      assertFrames(await subscriber.receive(), [octets]);
    }
    await expects([], []);
  });

  it("has a copy of the topic, not the caller's memory", async () => {
    const topic = utf8("mine");
    subscriber.subscribe(topic);
    topic.fill(0x78);
    await subscribed(publisher, 2);
    await expects(["mine", "xxxx"], ["mine"]);
  });

  it("gets each message once when two of its topics match", async () => {
    subscriber.subscribe("a", "ab", "abc", "");
    await subscribed(publisher, 5);
    await expects(["abcd", "ab", "a", "x"], ["abcd", "ab", "a", "x"]);
  });

  it("counts its topics: one is over when it was unsubscribed as often as subscribed", async () => {
    subscriber.subscribe("a", "a");
    subscriber.subscribe("a");
    assertEquals(subscriber.topicsCount, 2);
    subscriber.unsubscribe("a");
    subscriber.unsubscribe("a");
    await subscribed(publisher, 2);
    await expects(["a"], ["a"]);
    subscriber.unsubscribe("a");
    assertEquals(subscriber.topicsCount, 1);
    await subscribed(publisher, 1);
    await expects(["a"], []);
  });

  it("may unsubscribe from what it never had", async () => {
    subscriber.unsubscribe("nothing");
    subscriber.unsubscribe();
    assertEquals(subscriber.topicsCount, 1);
    await expects(["nothing"], []);
    subscriber.subscribe("nothing");
    await subscribed(publisher, 2);
    await expects(["nothing"], ["nothing"]);
  });

  it("keeps the shorter topic when it drops the longer, and the other way round", async () => {
    subscriber.subscribe("a", "ab", "abc");
    subscriber.unsubscribe("abc");
    await subscribed(publisher, 3);
    await expects(["abc", "a"], ["abc", "a"]);
    subscriber.unsubscribe("a");
    await subscribed(publisher, 2);
    await expects(["abc", "ab", "a"], ["abc", "ab"]);
  });

  it("receives nothing of a topic once unsubscribe has returned", async () => {
    subscriber.subscribe("a");
    await subscribed(publisher, 2);
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 10; i++) await publisher.send(`a${i}`);
      const before = subscriber.receive();
      subscriber.unsubscribe("a");
      await publisher.send("a late");
      await publisher.send(MARK);
      const texts = [String(await before)];
      while (texts.at(-1) !== MARK) texts.push(String(await subscriber.receive()));
      // Only the receive that was pending already may have got one.
      assert(texts.length <= 2, texts.join());
      if (texts.length === 2) assertEquals(texts[0], "a0");
      subscriber.subscribe("a");
      await subscribed(publisher, 2);
    }
  });

  it("loses what had arrived unread of a topic that it drops", async () => {
    subscriber.subscribe("a", "b");
    await subscribed(publisher, 3);
    await publisher.send("a1");
    await eventually(() => subscriber.readable);
    subscriber.unsubscribe("a");
    assertEquals(subscriber.readable, false);
    subscriber.receiveTimeout = 0;
    await rejection(subscriber.receive(), "EAGAIN");
    subscriber.receiveTimeout = RECEIVES.receiveTimeout;
    await expects(["a2", "b1"], ["b1"]);
  });

  it("keeps what had arrived unread for another of its topics", async () => {
    subscriber.subscribe("a", "ab", "b");
    await subscribed(publisher, 4);
    for (const text of ["abc", "ax", "b1"]) await publisher.send(text);
    await eventually(() => subscriber.readable);
    subscriber.unsubscribe("a");
    await expects([], ["abc", "b1"]);
  });

  it("goes on after dropping the topic of a flood that had filled it", async () => {
    subscriber.receiveHighWaterMark = 10;
    subscriber.subscribe("flood");
    await subscribed(publisher, 2);
    const body = new Uint8Array(10_000);
    // More than the marks and the system's buffers take together.
    for (let i = 0; i < 3_000 || publisher.stats().dropped === 0; i++) {
      await publisher.send(["flood", body]);
    }
    subscriber.unsubscribe("flood");
    subscriber.subscribe("calm");
    await eventually(() => publisher.topicsCount === 2 && subscriptionsOf(publisher) === 2);
    await eventually(async () => {
      await publisher.send("calm");
      return subscriber.readable;
    });
    assertEquals(String((await subscriber.receive())[0]), "calm");
  });

  it("gets a message as a whole, matched by its first frame alone", async () => {
    subscriber.subscribe("a");
    await subscribed(publisher, 2);
    await publisher.send(["b", "a"]);
    await publisher.send(["a", "", "b", utf8("c")]);
    await publisher.send(["", "a"]);
    assertEquals(await takeTexts(subscriber), ["a", "", "b", "c"]);
    await expects([], []);
  });

  it("matches a topic that is longer than the first frame with nothing", async () => {
    subscriber.subscribe("topic");
    await subscribed(publisher, 2);
    await publisher.send(["top", "ic"]);
    await expects(["topi", "topic"], ["topic"]);
  });

  it("gets its messages in the order in which they were sent", async () => {
    subscriber.subscribe("n", "");
    await subscribed(publisher, 3);
    for (let burst = 0; burst < 20; burst++) {
      for (const i of numbers(100)) await publisher.send(["n", i]);
      for (const i of numbers(100)) assertEquals(await takeTexts(subscriber), ["n", i]);
    }
  });

  it("may be iterated over", async () => {
    subscriber.subscribe("");
    await subscribed(publisher, 2);
    for (const text of ["1", "2", "3"]) await publisher.send(text);
    const texts: string[] = [];
    for await (const [frame] of subscriber) if (texts.push(String(frame)) === 3) break;
    assertEquals(texts, ["1", "2", "3"]);
  });

  it("may subscribe before it connects, and before there is a publisher", async () => {
    await publisher.close();
    const early = cleanup.add(new Subscriber({ ...RECEIVES, ...QUICK }));
    early.subscribe("a", "b");
    early.connect(publisher.lastEndpoint!);
    early.unsubscribe("b");
    publisher = cleanup.add(new Publisher());
    await publisher.bind(early.lastEndpoint!);
    await eventually(() => publisher.topicsCount >= 1);
    await publisher.send("b");
    await publisher.send("a");
    assertEquals(await takeTexts(early), ["a"]);
  });

  it("may be the one that is bound", async () => {
    const bound = cleanup.add(new Subscriber(RECEIVES));
    bound.subscribe("a");
    await bound.bind(anywhere(transport));
    const publishers = [1, 2, 3].map(() => cleanup.add(new Publisher()));
    for (const each of publishers) each.connect(bound.lastEndpoint!);
    for (const each of publishers) await subscribed(each, 1);
    for (const [i, each] of publishers.entries()) await each.send(`a${i}`);
    assertEquals((await takeMany(bound, 3)).sort(), ["a0", "a1", "a2"]);
    bound.subscribe("b");
    for (const each of publishers) await subscribed(each, 2);
  });

  it("has its topics at every publisher it connects to", async () => {
    const others = [1, 2].map(() => cleanup.add(new Publisher()));
    for (const other of others) {
      await other.bind(anywhere(transport));
      subscriber.connect(other.lastEndpoint!);
    }
    subscriber.subscribe("late");
    for (const each of [publisher, ...others]) await subscribed(each, 2);
    for (const [i, each] of [publisher, ...others].entries()) await each.send(`late ${i}`);
    assertEquals((await takeMany(subscriber, 3)).sort(), ["late 0", "late 1", "late 2"]);
  });

  it("waits in receive while nothing matches", async () => {
    subscriber.subscribe("a");
    await subscribed(publisher, 2);
    const receiving = subscriber.receive();
    for (let i = 0; i < 100; i++) await publisher.send("b");
    await staysPending(receiving, 30, "a receive without a matching message");
    await publisher.send("a");
    assertFrames(await receiving, ["a"]);
  });
});

describeOver(SYSTEM_TRANSPORTS, "on the wire, a Subscriber", (transport) => {
  afterEach(() => cleanup.run());

  it("loses a message of a topic that it drops, of which only a part has arrived", async () => {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const torn = cleanup.add(new Subscriber(RECEIVES));
    torn.connect(server.endpoint);
    torn.subscribe("a", "b");
    const peer = await server.accept();
    await shakeHands(peer, "PUB");
    await takeRequests(peer, 2);
    const whole = message("a", "of the topic", "that is dropped");
    const long = message(`a${"x".repeat(100_000)}`, "tail");
    for (const [octets, part] of [[whole, 4], [whole, 12], [long, 50_000]] as const) {
      await peer.flush(concat(message("b", "before"), octets.subarray(0, part)));
      assertEquals(await takeTexts(torn), ["b", "before"]);
      torn.unsubscribe("a");
      await peer.flush(concat(octets.subarray(part), message("b", "after")));
      assertEquals(await takeTexts(torn), ["b", "after"]);
      assertEquals(await takeRequests(peer, 1), ["-a"]);
      torn.subscribe("a");
      assertEquals(await takeRequests(peer, 1), ["+a"]);
    }
  });

  it("gets nothing that its publisher sends against its topics", async () => {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const strict = cleanup.add(new Subscriber(RECEIVES));
    strict.subscribe("a");
    strict.connect(server.endpoint);
    const peer = await server.accept();
    await shakeHands(peer, "PUB");
    assertEquals(await takeRequests(peer, 1), ["+a"]);
    peer.send(message("b", "a"), message(""), message("ax", "tail"), message("x"), message("a"));
    assertEquals(await takeTexts(strict), ["ax", "tail"]);
    assertEquals(await takeTexts(strict), ["a"]);
  });
});
