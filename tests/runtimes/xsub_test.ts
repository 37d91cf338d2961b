// XSUB: subscriptions are messages; they are counted, sent once unless told otherwise, and everything else goes upstream.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { afterEach, beforeEach, it } from "@std/testing/bdd";
import { Publisher, XPublisher, XSubscriber } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, within } from "../_util/deadline.ts";
import { memory } from "../_util/memory.ts";
import { peers, subscribed, takeMany, takeTexts } from "../_util/pubsub.ts";
import { type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { shakeHandsAsOld, takeRequest, takeRequests } from "../_util/raw_subscriptions.ts";
import { connectAs, message, shakeHands, takeFrame, takeMessage } from "../_util/raw_zmtp.ts";
import { describeOver, nowhere, reserve } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const MARK = "mark";
const MB = 1_000_000;
const cleanup = new Cleanup();

let publisher: XPublisher;
let subscriber: XSubscriber;

async function openPair(transport: Transport): Promise<void> {
  publisher = cleanup.add(new XPublisher({ ...RECEIVES, verbosity: "allSubsUnsubs" }));
  await publisher.bind(anywhere(transport));
  subscriber = cleanup.add(new XSubscriber(RECEIVES));
  subscriber.connect(publisher.lastEndpoint!);
  assertEquals(await arrives(), []);
}

/** Sends the messages; all that arrives of them at a publisher that hides nothing. */
async function arrives(...sent: readonly (string | string[])[]): Promise<string[]> {
  for (const each of sent) await subscriber.send(each);
  await subscriber.send(MARK);
  const texts: string[] = [];
  for (;;) {
    const frames = await takeTexts(publisher);
    if (frames[0] === MARK) return texts;
    texts.push(frames.join("|"));
  }
}

describeOver(TRANSPORTS, "an XSubscriber", (transport) => {
  beforeEach(() => openPair(transport));
  afterEach(() => cleanup.run());

  it("subscribes by a message that starts with 1, and unsubscribes by one that starts with 0", async () => {
    assertEquals(await arrives("\x01a"), ["\x01a"]);
    for (const text of ["b", "a1"]) await publisher.send(text);
    assertEquals(await takeTexts(subscriber), ["a1"]);
    assertEquals(await arrives("\0a"), ["\0a"]);
    await publisher.send("a2");
    assertEquals(await arrives("\x01"), ["\x01"]);
    await publisher.send("a3");
    assertEquals(await takeTexts(subscriber), ["a3"]);
  });

  it("takes octets as well as text", async () => {
    await subscriber.send(Uint8Array.of(1, 255, 0));
    assertFrames(await publisher.receive(), [Uint8Array.of(1, 255, 0)]);
    await publisher.send(Uint8Array.of(255, 0, 7));
    assertFrames(await subscriber.receive(), [Uint8Array.of(255, 0, 7)]);
    await subscriber.send(Uint8Array.of(0, 255, 0));
    assertFrames(await publisher.receive(), [Uint8Array.of(0, 255, 0)]);
  });

  it("counts: the first and the last request of a topic go out", async () => {
    assertEquals(await arrives("\x01a", "\x01a", "\x01a"), ["\x01a"]);
    assertEquals(subscriber.topicsCount, 1);
    assertEquals(await arrives("\0a", "\0a"), []);
    assertEquals(await arrives("\0a"), ["\0a"]);
    assertEquals(subscriber.topicsCount, 0);
  });

  it("does not send the end of what it never asked for", async () => {
    assertEquals(await arrives("\0a", "\0", "\x01a", "\0b", "\0a", "\0a"), ["\x01a", "\0a"]);
    assertEquals(subscriber.topicsCount, 0);
    assertEquals(await arrives("\x01a"), ["\x01a"]);
  });

  it("of verbosity allSubs sends each subscription, but only the last end", async () => {
    subscriber.verbosity = "allSubs";
    assertEquals(await arrives("\x01a", "\x01a"), ["\x01a", "\x01a"]);
    assertEquals(await arrives("\0a"), []);
    assertEquals(await arrives("\0a"), ["\0a"]);
    assertEquals(await arrives("\0a"), []);
  });

  it("of verbosity allSubsUnsubs sends each of both, also the end of what it never had", async () => {
    subscriber.verbosity = "allSubsUnsubs";
    assertEquals(await arrives("\0a"), ["\0a"]);
    const sent = ["\x01a", "\x01a", "\0a", "\0a", "\x01b"];
    assertEquals(await arrives(...sent), sent);
    assertEquals(subscriber.topicsCount, 1);
  });

  it("may change its verbosity under way; it counts all along", async () => {
    subscriber.verbosity = "allSubs";
    assertEquals(await arrives("\x01a", "\x01a"), ["\x01a", "\x01a"]);
    subscriber.verbosity = null;
    assertEquals(await arrives("\0a", "\0a"), ["\0a"]);
    subscriber.verbosity = "allSubsUnsubs";
    assertEquals(await arrives("\0a"), ["\0a"]);
  });

  it("gets each message once, whatever its verbosity", async () => {
    subscriber.verbosity = "allSubs";
    await arrives("\x01a", "\x01a", "\x01ab", "\x01");
    for (const text of ["abc", "end"]) await publisher.send(text);
    assertEquals(await takeMany(subscriber, 2), ["abc", "end"]);
  });

  it("sends other messages upstream as they are, of any number of frames", async () => {
    const sent = ["hello", "", "\x02", ["two", "frames"], ["", "tail"], "grün"];
    assertEquals(await arrives(...sent), ["hello", "", "\x02", "two|frames", "|tail", "grün"]);
  });

  it("sends upstream to all of its publishers", async () => {
    const others = [1, 2].map(() => cleanup.add(new XPublisher(RECEIVES)));
    for (const other of others) {
      await other.bind(anywhere(transport));
      subscriber.connect(other.lastEndpoint!);
      await peers(other, 1);
    }
    // A publisher has its peer before the peer has the publisher.
    await eventually(() => subscriber.stats().peers.every(({ connected }) => connected));
    for (const text of ["\x01a", "user", "\0a"]) await subscriber.send(text);
    for (const each of [publisher, ...others]) {
      assertEquals(await takeMany(each, 3), ["\x01a", "user", "\0a"]);
    }
  });

  it("brings its topics to a publisher that comes later, and no user messages", async () => {
    await arrives("\x01a", "\x01b", "\x01a", "\0b", "user");
    const late = cleanup.add(new XPublisher(RECEIVES));
    await late.bind(anywhere(transport));
    subscriber.connect(late.lastEndpoint!);
    assertEquals(await takeTexts(late), ["\x01a"]);
    await subscriber.send("now");
    assertEquals(await takeTexts(late), ["now"]);
  });

  it("never waits, with nobody there either", async () => {
    const lonely = cleanup.add(new XSubscriber({ sendTimeout: 0, sendHighWaterMark: 2 }));
    assert(lonely.writable);
    for (let i = 0; i < 100; i++) await lonely.send(`\x01topic ${i}`);
    await lonely.send("user");
    assertEquals(lonely.topicsCount, 100);
    lonely.connect(nowhere(transport));
    for (let i = 0; i < 100; i++) await within(lonely.send(`user ${i}`), 1_000, "a send");
  });

  it("receives from its publishers in turn", async () => {
    await subscriber.send("\x01");
    const sources = [0, 1].map(() => cleanup.add(new Publisher()));
    for (const source of sources) {
      await source.bind(anywhere(transport));
      subscriber.connect(source.lastEndpoint!);
      await subscribed(source, 1);
    }
    for (const [i, source] of sources.entries()) {
      for (let n = 0; n < 200; n++) await source.send(`${i} ${n}`);
    }
    const texts = await takeMany(subscriber, 400);
    for (const i of [0, 1]) {
      const own = texts.filter((text) => text.startsWith(`${i} `));
      assertEquals(own, Array.from({ length: 200 }, (_, n) => `${i} ${n}`));
    }
  });
});

describeOver(TRANSPORTS, "an XSubscriber that is bound", (transport) => {
  afterEach(() => cleanup.run());

  it("collects from many publishers and tells each of its topics", async () => {
    const socket = cleanup.add(new XSubscriber(RECEIVES));
    await socket.bind(anywhere(transport));
    await socket.send("\x01");
    const publishers = Array.from({ length: 10 }, () => cleanup.add(new Publisher()));
    for (const each of publishers) each.connect(socket.lastEndpoint!);
    for (const each of publishers) await subscribed(each, 1);
    for (const [i, each] of publishers.entries()) await each.send(`from ${i}`);
    const texts = await takeMany(socket, 10);
    assertEquals(texts.sort(), Array.from({ length: 10 }, (_, i) => `from ${i}`));
    for (const each of publishers.splice(0, 5)) await each.close();
    await peers(socket, 5);
    await socket.send("\0");
    for (const each of publishers) await subscribed(each, 0);
  });
});

describeOver(SYSTEM_TRANSPORTS, "on the wire, an XSubscriber", (transport) => {
  afterEach(() => cleanup.run());

  async function peerOf(
    options: ConstructorParameters<typeof XSubscriber>[0],
    old = false,
  ): Promise<[XSubscriber, RawConnection]> {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const socket = cleanup.add(new XSubscriber(options));
    socket.connect(server.endpoint);
    const connection = await server.accept();
    if (old) await shakeHandsAsOld(connection, "XPUB");
    else await shakeHands(connection, "XPUB");
    return [socket, connection];
  }

  it("sends commands to peers of ZMTP 3.1", async () => {
    const [socket, peer] = await peerOf({});
    for (const text of ["\x01a", "user", "\0a"]) await socket.send(text);
    const first = await takeRequest(peer);
    assertEquals([first.form, first.subscribes, first.topic.length], ["command", true, 1]);
    assertFrames([(await takeFrame(peer)).body], ["user"]);
    assertEquals((await takeRequest(peer)).form, "command");
  });

  it("sends messages to peers of ZMTP 3.0", async () => {
    const [socket, peer] = await peerOf({}, true);
    for (const text of ["\x01a", "user", "\0a"]) await socket.send(text);
    for (const text of ["\x01a", "user", "\0a"]) assertFrames(await takeMessage(peer), [text]);
  });

  it("drops and counts what a publisher that does not read has no room for", async () => {
    const [socket, peer] = await peerOf({ sendHighWaterMark: 10 });
    peer.pause();
    const body = new Uint8Array(100_000).fill(0x78);
    const before = memory();
    const count = 2_000;
    for (let i = 0; i < count; i++) await within(socket.send([`u${i}`, body]), 5_000, `send ${i}`);
    const { dropped, peers: all } = socket.stats();
    assertGreater(dropped, count / 2);
    assertEquals(all.map((each) => each.dropped), [dropped]);
    assertLess(all[0].queued, 50);
    assertLess(memory() - before, 150 * MB);
    peer.resume();
    for (let i = 0; i < count - dropped; i++) {
      const [number, rest] = await takeMessage(peer);
      assertEquals([String.fromCharCode(...number), rest.length], [`u${i}`, 100_000]);
    }
    peer.destroy();
    await eventually(() => socket.stats().dropped >= dropped);
  });

  it("loses no subscription to a publisher that is full", async () => {
    const [socket, peer] = await peerOf({ sendHighWaterMark: 10 });
    peer.pause();
    const body = new Uint8Array(100_000).fill(0x78);
    while (socket.stats().dropped < 10) await socket.send(["user", body]);
    const topics = Array.from({ length: 100 }, (_, i) => `topic ${i}`);
    for (const topic of topics) await socket.send(`\x01${topic}`);
    const taken: string[] = [];
    peer.resume();
    while (taken.length < topics.length) {
      const next = await takeFrame(peer);
      if (next.command) taken.push(new TextDecoder().decode(next.body.subarray(10)));
    }
    assertEquals(taken, topics);
  });

  it("may subscribe and unsubscribe a hundred thousand times at a peer that does not read", async () => {
    const [socket, peer] = await peerOf({ sendHighWaterMark: 10 });
    peer.pause();
    const before = memory();
    for (let i = 0; i < 100_000; i++) {
      await socket.send(`\x01a topic of some length ${i}`);
      await socket.send(`\0a topic of some length ${i}`);
    }
    assertEquals(socket.topicsCount, 0);
    assertLess(memory() - before, 150 * MB);
  });

  it("refuses peers that are no publishers", async () => {
    const socket = cleanup.add(new XSubscriber(RECEIVES));
    await socket.bind(anywhere(transport));
    for (const type of ["SUB", "XSUB", "PULL"]) {
      const stranger = cleanup.add(await connectAs(socket.lastEndpoint!, type));
      await stranger.untilClosed();
    }
    const good = cleanup.add(await connectAs(socket.lastEndpoint!, "PUB"));
    await socket.send(`\x01${"x".repeat(300)}`);
    assertEquals(await takeRequests(good, 1), [`+${"x".repeat(300)}`]);
    good.send(message(utf8("hello")));
    assertEquals(await takeTexts(socket), ["hello"]);
  });

  it("hands over what its publishers send, also what it has no topic for", async () => {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const socket = cleanup.add(new XSubscriber(RECEIVES));
    socket.connect(server.endpoint);
    const peer = await server.accept();
    await shakeHands(peer, "PUB");
    peer.send(message("anything", "at all"), message(""));
    assertEquals(await takeTexts(socket), ["anything", "at all"]);
    assertEquals(await takeTexts(socket), [""]);
  });
});
