// Options of publishers and subscribers, each with our end and with libzmq's.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { assertFrames, textOf, textsOf } from "../_util/bytes.ts";
import { eventually, pause, staysPending } from "../_util/deadline.ts";
import type { PeerSocket } from "../_util/peer.ts";
import { type End, isMark, OurEnd } from "../_util/pubsub_ends.ts";
import { Stand } from "../_util/pubsub_stand.ts";

const LONG = new Uint8Array(10_000);
/** More than the system takes between two processes. */
const FLOOD = 1_500;

for (const ours of ["pub", "sub"] as const) {
  const name = ours === "pub" ? "our publisher, libzmq's subscribers" : "libzmq's publisher, ours";
  describe(`options, ${name}`, () => {
    const stand = new Stand(ours);
    before(() => stand.start());
    after(() => stand.stop());
    afterEach(() => stand.close());

    for (const type of ["Publisher", "XPublisher"] as const) {
      it(`PUB-05: ${type} drops for a subscriber that does not read, whole messages only`, async () => {
        const pub = await stand.publish(type, { sendHighWaterMark: 10, sendTimeout: 0 });
        const sub = await stand.join("Subscriber", { receiveHighWaterMark: 1 });
        await sub.subscribe("n");
        await stand.channel(sub).sync();
        for (let i = 0; i < FLOOD; i++) await pub.send("n", String(i), LONG);
        await receivesGap(sub, pub);
      });

      it(`noDrop: ${type} waits for a subscriber that does not read`, async () => {
        const pub = await stand.publish(type, { sendHighWaterMark: 10, noDrop: true });
        const sub = await stand.join("Subscriber", { receiveHighWaterMark: 1 });
        const other = await stand.join("Subscriber", { receiveHighWaterMark: 1 });
        await sub.subscribe("n");
        await stand.channel(sub).sync();
        await other.subscribe("o");
        await stand.channel(other).sync();
        const sending = (async () => {
          for (let i = 0; i < FLOOD; i++) await pub.send("n", String(i), LONG);
        })();
        await staysPending(sending, 300, "sending 30 MB to a subscriber that does not read");
        for (let i = 0; i < FLOOD; i++) assertEquals(await nextNumber(sub), i);
        await sending;
        await pub.send("o", "still there");
        assertFrames(await nextOf(other), ["o", "still there"]);
      });

      it(`invertMatching: ${type} sends what does not match`, async () => {
        const pub = await stand.publish(type, { invertMatching: true });
        const inverted = await stand.join("Subscriber", { invertMatching: true });
        await inverted.subscribe("a", "bc");
        const plain = await stand.join("XSubscriber");
        await plain.subscribe("d");
        await eventually(async () => await pub.topicsCount() === 3);
        const topics = ["a", "ab", "b", "bc", "bcd", "d", "de", "", "A", "end"];
        await pub.sendEach(topics.map((topic) => [topic]));
        assertEquals((await inverted.receiveUntil("end")).flatMap(textsOf), [
          "b",
          "d",
          "de",
          "",
          "A",
        ]);
        assertEquals((await plain.receiveUntil("end")).flatMap(textsOf), [
          "a",
          "ab",
          "b",
          "bc",
          "bcd",
          "",
          "A",
        ]);
      });
    }

    it("PUB-05: the others get everything while one does not read", async () => {
      const pub = await stand.publish("Publisher");
      const mute = await stand.join("Subscriber", { receiveHighWaterMark: 1 });
      const [a, b] = [await stand.join("Subscriber"), await stand.join("XSubscriber")];
      for (const sub of [mute, a, b]) {
        await sub.subscribe("n");
        await stand.channel(sub).sync();
      }
      for (let i = 0; i < FLOOD;) {
        for (const end = i + 100; i < end; i++) await pub.send("n", String(i), LONG);
        for (const sub of [a, b]) {
          for (let n = i - 100; n < i; n++) assertEquals(await nextNumber(sub), n);
        }
      }
      await receivesGap(mute, pub);
    });

    it("conflate: a subscriber has the newest message only", async () => {
      const pub = await stand.publish("Publisher", { sendHighWaterMark: 0 });
      const sub = await stand.join("Subscriber", { conflate: true });
      const plain = await stand.join("Subscriber");
      await plain.subscribe("");
      await stand.channel(plain).sync(true);
      await sub.subscribe("n");
      await untilArrival(pub, sub, "n begin");
      for (let i = 0; i < 2_000; i++) await pub.send(`n ${i}`);
      while (textOf((await plain.receive())[0]) !== "n 1999");
      await pause(100); // both have the same way to go, and nothing tells that one has arrived
      let last = -1;
      let count = 0;
      while (last < 1_999) {
        const [text] = textsOf(await sub.receive());
        if (text === "n begin") continue;
        assertGreater(Number(text.slice(2)), last);
        last = Number(text.slice(2));
        count++;
      }
      assertLess(count, 100);
    });

    it("topicsCount counts topics, not subscriptions", async () => {
      const pub = await stand.publish("XPublisher");
      const subs = [await stand.join("Subscriber"), await stand.join("XSubscriber")];
      for (const sub of subs) await sub.subscribe("a", "ab", "", "b");
      await subs[0].subscribe("only the first");
      await eventually(async () => await pub.topicsCount() === 5);
      await subs[0].unsubscribe("a");
      await subs[1].unsubscribe("b");
      for (const sub of subs) await sub.unsubscribe("ab");
      await eventually(async () => await pub.topicsCount() === 4);
      assertEquals(await subs[1].topicsCount(), 2);
    });
  });
}

describe("options of our publisher alone", () => {
  const stand = new Stand("pub");
  before(() => stand.start());
  after(() => stand.stop());
  afterEach(() => stand.close());

  for (
    const [limit, options, topics] of [
      ["maxTopicLength", { maxTopicLength: 100 }, ["x".repeat(101)]],
      ["maxSubscriptions", { maxSubscriptions: 10 }, Array.from("abcdefghijk")],
    ] as const
  ) {
    for (const type of ["Publisher", "XPublisher"] as const) {
      it(`${limit}: ${type} ends the connection of a greedy subscriber, and serves the others`, async () => {
        const pub = await stand.publish(type, options);
        const good = await stand.join("Subscriber");
        const greedy = await stand.join("Subscriber", { reconnectInterval: 10_000 }) as PeerSocket;
        await good.subscribe("x".repeat(100), "y");
        await greedy.subscribe("y");
        for (const sub of [good, greedy]) await stand.channel(sub).sync();
        await greedy.subscribe(...topics);
        await eventually(async () => (await greedy.events()).disconnect === 1);
        await eventually(async () => await pub.topicsCount() === 3); // with the channel's own
        const channel = stand.channel(good);
        await channel.sync();
        const messages = [["x".repeat(100), "1"], ["y", "2"], ["a", "3"]];
        assertEquals((await channel.deliver(messages)).map(textsOf), messages.slice(0, 2));
      });
    }
  }

  // libzmq's own PUB with this option can keep its last message for ever.
  it("conflate: a publisher keeps the newest message for each subscriber", async () => {
    const pub = await stand.publish("Publisher", { conflate: true });
    const sub = await stand.join("Subscriber", { receiveHighWaterMark: 1 });
    await sub.subscribe("n", "o");
    await untilArrival(pub, sub, "n");
    const long = new Uint8Array(100_000).fill(0x6e);
    for (let i = 0; i < 300; i++) {
      long[1] = i >> 8;
      long[2] = i & 255;
      await pub.send(long.slice());
      await pause(0); // time to put something on the wire
    }
    let last = -1;
    let count = 0;
    while (last < 299) {
      const [octets, ...rest] = await sub.receive();
      assertEquals(rest, []);
      if (octets.length === 1) continue;
      const number = octets[1] << 8 | octets[2];
      assertGreater(number, last);
      last = number;
      count++;
    }
    assertLess(count, 300);
  });

  it("stats() tells what each subscriber has and what was dropped for it", async () => {
    const pub = await stand.publish("Publisher", { sendHighWaterMark: 10 });
    const mute = await stand.join("Subscriber", { receiveHighWaterMark: 1 });
    await mute.subscribe("n", "m");
    await stand.channel(mute).sync();
    assert(pub instanceof OurEnd && "stats" in pub.socket);
    const { socket } = pub;
    for (let i = 0; i < FLOOD; i++) await pub.send("n", String(i), LONG);
    const { dropped, peers } = socket.stats();
    assertEquals(peers.map(({ subscriptions }) => subscriptions), [3]);
    assertEquals(peers[0].dropped, dropped);
    assertLess(peers[0].queued, 12); // ten wait, one is being written
    assertGreater(dropped, 0);
    let received = 0;
    const receiving = (async () => {
      for (;;) if (!isMark(await mute.receive())) received++;
    })();
    receiving.catch(() => {}); // until the peer closes
    await eventually(() => received === FLOOD - dropped);
    await mute.close();
    await eventually(() => socket.stats().peers.length === 0);
    assertEquals(socket.stats().dropped, dropped);
  });
});

/** Reads numbered messages of which some are missing; then there is room again. */
async function receivesGap(sub: End, pub: End): Promise<void> {
  let last = -1;
  let gaps = 0;
  let over = false;
  const ending = (async () => {
    for (; !over; await pause(5)) await pub.send("n", "end", LONG);
  })();
  for (;;) {
    const message = await nextOf(sub);
    assertEquals([message.length, message[2].length], [3, LONG.length]);
    if (textOf(message[1]) === "end") break;
    const number = Number(textOf(message[1]));
    assertGreater(number, last);
    if (number > last + 1) gaps++;
    last = number;
  }
  over = true;
  await ending;
  if (last === FLOOD - 1) assertGreater(gaps, 0);
}

/** Publishes until it arrives. */
async function untilArrival(pub: End, sub: End, topic: string): Promise<void> {
  let over = false;
  const receiving = sub.receive().finally(() => over = true);
  receiving.catch(() => {}); // it is awaited below
  for (; !over; await pause(5)) await pub.send(topic);
  await receiving;
}

async function nextOf(sub: End): Promise<Uint8Array[]> {
  for (;;) {
    const message = await sub.receive();
    if (!isMark(message)) return message;
  }
}

async function nextNumber(sub: End): Promise<number> {
  return Number(textOf((await nextOf(sub))[1]));
}
