// Who gets what, for every legal pair of publisher and subscriber.

import { assert, assertEquals } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { textOf, toHex } from "../_util/bytes.ts";
import { assertMessages, concat, pattern } from "../_util/octets.ts";
import { type Peer, startPeer } from "../_util/peer.ts";
import { type Octets, octetsOf, openPair, PAIRS, type PubSubPair } from "../_util/pubsub_ends.ts";
import { Opened } from "../_util/traffic.ts";

type OpenChannel = Awaited<ReturnType<typeof openPair>>;

/** Nested, overlapping, apart from each other, and with the octets that are special elsewhere. */
const TOPICS: readonly Uint8Array[] = [
  ...["", "a", "ab", "abc", "abd", "b", "ba", "ä"].map(octetsOf),
  ...[[0], [0, 0], [0, 255], [1], [1, 0], [255], [255, 0, 255]].map((x) => Uint8Array.from(x)),
];
/** Topic sizes around a command's border (10 octets more), a message's (1 more) and beyond. */
const SIZES = [1, 2, 127, 128, 244, 245, 246, 247, 253, 254, 255, 256, 257, 1_000, 4_096];

for (const pair of PAIRS) {
  describe(pair.name, () => {
    const opened = new Opened();
    let peer: Peer;
    let channel: OpenChannel;
    before(() => {
      peer = startPeer();
    });
    after(() => peer.stop());
    afterEach(async () => {
      await opened.close();
      await channel.theirs.close();
    });
    const open = async (...args: Parameters<typeof openWith>): Promise<OpenChannel> =>
      channel = await openWith(...args);
    const openWith = (options: Parameters<typeof openPair>[3] = {}): Promise<OpenChannel> =>
      openPair(pair, peer, opened, options);

    it("nothing is received without a subscription", async () => {
      const { sub } = await open();
      await channel.sync();
      assertEquals(await channel.deliver(withBodies(["", "a", "b"])), []);
      await sub.subscribe("b");
      await channel.sync();
      assertMessages(await channel.deliver(withBodies(["", "a", "b"])), [["b", "2"].map(octetsOf)]);
    });

    it("each topic is a prefix, octet by octet (ZMTP31-SUB-01, ZMTP31-SUB-04)", async () => {
      const { sub } = await open();
      for (const topic of TOPICS) {
        await sub.subscribe(topic);
        await channel.sync(topic.length === 0);
        await expectDeliveries(channel, [topic]);
        await sub.unsubscribe(topic);
      }
      await channel.sync();
      await expectDeliveries(channel, []);
    });

    it("a message that several topics match arrives once", async () => {
      const { sub } = await open();
      await sub.subscribe(...TOPICS.filter((topic) => topic.length > 0));
      await channel.sync();
      await expectDeliveries(channel, TOPICS.filter((topic) => topic.length > 0));
      await sub.subscribe("");
      await channel.sync(true);
      await expectDeliveries(channel, TOPICS);
    });

    it("subscriptions in any order give what they add up to", async () => {
      const { sub } = await open();
      // libzmq's SUB takes the end of a topic that begins with 01 for a subscription to its rest.
      const isSafe = pair.ours === "sub" || pair.sub !== "Subscriber";
      const topics = TOPICS.filter((topic) => isSafe || topic[0] !== 1);
      const counts = new Map<Uint8Array, number>();
      let state = 7;
      const random = (below: number): number => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return (state >>> 8) % below;
      };
      for (let step = 0; step < 80; step++) {
        const topic = topics[random(topics.length)];
        const count = counts.get(topic) ?? 0;
        if (count > 0 && random(5) < 3) {
          await sub.unsubscribe(topic);
          counts.set(topic, count - 1);
        } else {
          await sub.subscribe(topic);
          counts.set(topic, count + 1);
        }
        if (step % 8 < 7) continue;
        await channel.sync((counts.get(TOPICS[0]) ?? 0) > 0);
        await expectDeliveries(channel, topics.filter((topic) => (counts.get(topic) ?? 0) > 0));
      }
    });

    it("topics of every size around the borders of commands and messages", async () => {
      const { sub } = await open();
      const topics = SIZES.map((size, i) => concat(Uint8Array.of(i), pattern(size - 1, i)));
      await sub.subscribe(...topics);
      await channel.sync();
      const matching = topics.flatMap((topic) => [[topic], [concat(topic, octetsOf("more"))]]);
      const missing = topics.flatMap((topic) => [[topic.subarray(0, -1)], [altered(topic)]]);
      assertMessages(await channel.deliver([...missing, ...matching]), matching);
      await sub.unsubscribe(...topics);
      await channel.sync();
      assertMessages(await channel.deliver([...missing, ...matching]), []);
    });

    it("topics of growing size, each a prefix of the next", async () => {
      const { sub } = await open();
      const topics = SIZES.map((size) => new Uint8Array(size).fill(0x74));
      await sub.subscribe(...topics);
      await channel.sync();
      const messages = topics.map((topic) => [topic, octetsOf(String(topic.length))]);
      for (const [i, topic] of topics.entries()) {
        assertMessages(await channel.deliver(messages), messages.slice(i));
        await sub.unsubscribe(topic);
        await channel.sync();
      }
      assertMessages(await channel.deliver(messages), []);
    });

    it("only the first frame is matched", async () => {
      const { sub } = await open();
      await sub.subscribe("yes");
      await channel.sync();
      const messages = [["yes", "no"], ["no", "yes"], ["yes"], ["", "yes"], ["yes", "", "", "no"]];
      assertMessages(
        await channel.deliver(messages),
        [messages[0], messages[2], messages[4]].map((frames) => frames.map(octetsOf)),
      );
    });

    it("bodies are long and in parts", async () => {
      const { sub } = await open();
      await sub.subscribe("long");
      await channel.sync();
      const topic = octetsOf("longer");
      const messages = [
        [topic, pattern(40_000, 1)],
        [octetsOf("other"), pattern(40_000, 2)],
        [topic, pattern(1_000_000, 3)],
        [topic, pattern(100, 4), pattern(70_000, 5), pattern(0), pattern(40_000, 6)],
        [concat(topic, pattern(1_000_000, 7))],
        [topic],
      ];
      assertMessages(await channel.deliver(messages), messages.filter((_, i) => i !== 1));
    });

    it("subscriptions change under traffic", async () => {
      await open({ pub: { sendHighWaterMark: 0 } });
      await changeUnderTraffic(channel, pair);
    });
  });
}

/** Publishes every topic, itself and with something after it, and checks what arrives. */
async function expectDeliveries(
  channel: OpenChannel,
  subscribed: readonly Uint8Array[],
): Promise<void> {
  const messages = withBodies([
    ...TOPICS,
    ...TOPICS.map((topic) => concat(topic, octetsOf("?"))),
    ...TOPICS.map((topic) => topic.subarray(0, -1)),
  ]);
  const prefixes = subscribed.map(toHex);
  assertMessages(
    await channel.deliver(messages),
    messages.filter(([first]) => prefixes.some((prefix) => toHex(first).startsWith(prefix))),
  );
}

/** While all topics are published without a pause, each change has its exact effect. */
async function changeUnderTraffic(channel: OpenChannel, pair: PubSubPair): Promise<void> {
  const { pub, sub } = channel;
  const topics = ["a", "ab", "b", "ba", "c"];
  await channel.sync();
  await pub.startFlood(...topics);
  let active: string[] = [];
  for (const change of ["+a", "+ab", "+b", "-a", "+", "-ab", "-b", "-", "+ba", "+c", "-ba"]) {
    const topic = change.slice(1);
    const former = active;
    if (change[0] === "+") {
      await sub.subscribe(topic);
      active = [...active, topic];
    } else {
      await sub.unsubscribe(topic);
      active = active.filter((other) => other !== topic);
    }
    const wanted = (of: string[]): string[] =>
      topics.filter((name) => of.some((prefix) => name.startsWith(prefix)));
    const sync = (): Promise<Uint8Array[][]> => channel.sync(active.includes(""));
    for (const [name] of await sync()) {
      assert(wanted([...former, ...active]).includes(textOf(name)), `${pair.name}: ${change}`);
    }
    const received = await sync();
    while (active.length > 0 && received.length < 10) received.push(...await sync());
    const numbers = received.map(([name, number]) => {
      assertEquals(textOf(name), topics[Number(textOf(number)) % topics.length]);
      return Number(textOf(number));
    });
    const expected: number[] = [];
    for (let n = numbers[0]; n <= numbers[numbers.length - 1]; n++) {
      if (wanted(active).includes(topics[n % topics.length])) expected.push(n);
    }
    assertEquals(numbers, expected, `after ${change}`);
  }
  await pub.stopFlood();
}

/** The topics as messages that can be told apart. */
function withBodies(topics: readonly Octets[]): Uint8Array[][] {
  return topics.map((topic, i) => [octetsOf(topic), octetsOf(String(i))]);
}

function altered(topic: Uint8Array): Uint8Array {
  const other = topic.slice();
  other[topic.length - 1] ^= 1;
  return other;
}
