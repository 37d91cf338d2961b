// Messages that are kept once, or not at all: conflate keeps the newest, long bodies are shared by all subscribers.

import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { Subscriber } from "../../mod.ts";
import { TRANSPORTS } from "../_util/anywhere.ts";
import { utf8 } from "../_util/bytes.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { memory } from "../_util/memory.ts";
import { assertOctets, pattern, sameOctets } from "../_util/octets.ts";
import { numbers, subscribed, takeMany } from "../_util/pubsub.ts";
import { BATCHES, BUFFERS, PublisherStage } from "../_util/publisher_stage.ts";
import type { ScriptedPeer } from "../_util/scripted_peer.ts";
import { describeOver, DISTINCT_TRANSPORTS } from "../_util/transports.ts";

const MB = 1_000_000;

describeOver(TRANSPORTS, "conflate", (transport) => {
  const stage = new PublisherStage(transport);
  afterEach(() => stage.cleanup.run());

  it("at a Publisher keeps only the newest for a slow subscriber", async () => {
    const publisher = await stage.open({ conflate: true });
    const slow = await stage.stall(publisher);
    const count = 2_000;
    const body = "x".repeat(20_000);
    for (let i = 0; i < count; i++) {
      await publisher.send(`${i} ${body}`);
    }
    const [{ queued }] = publisher.stats().peers;
    assertLessOrEqual(queued, 1 + BATCHES / 20_000);
    slow.resume();
    const seen: number[] = [];
    while (seen.at(-1) !== count - 1) {
      seen.push(Number.parseInt(String.fromCharCode(...(await slow.hear())[0].slice(0, 8))));
    }
    assertLess(seen.length, (BUFFERS + BATCHES) / 20_000);
    assert(seen.every((number, i) => i === 0 || number > seen[i - 1]), seen.join());
  });

  it("at a Publisher gives everything to a subscriber that keeps up", async () => {
    const publisher = await stage.open({ conflate: true });
    const subscriber = await stage.join(publisher, "");
    for (const text of numbers(100)) {
      await publisher.send(text);
      assertEquals(await takeMany(subscriber, 1), [text]);
    }
  });

  it("at a Subscriber keeps only the newest of what is unread", async () => {
    const publisher = await stage.open();
    const subscriber = stage.cleanup.add(
      new Subscriber({ receiveTimeout: 10_000, conflate: true }),
    );
    subscriber.connect(publisher.lastEndpoint!);
    subscriber.subscribe("");
    await subscribed(publisher, 1);
    const witness = await stage.join(publisher, "");
    for (let round = 0; round < 5; round++) {
      for (const text of numbers(20)) await publisher.send(text);
      assertEquals(await takeMany(witness, 20), numbers(20));
      await pause(30); // as the witness has them, so has the other one: read or in its buffer
      assertEquals(await takeMany(subscriber, 1), ["19"]);
      assertEquals(subscriber.readable, false);
    }
  });

  it("at a Subscriber keeps on reading, whatever its mark", async () => {
    const publisher = await stage.open();
    const options = { receiveTimeout: 10_000, conflate: true, receiveHighWaterMark: 2 };
    const subscriber = stage.cleanup.add(new Subscriber(options));
    subscriber.connect(publisher.lastEndpoint!);
    subscriber.subscribe("");
    await subscribed(publisher, 1);
    const body = "x".repeat(10_000);
    for (let i = 0; i < 5_000; i++) await publisher.send(`${i} ${body}`);
    await eventually(async () => {
      await publisher.send("last"); // until there is room for it
      return (await takeMany(subscriber, 1))[0] === "last";
    });
  });
});

describeOver(DISTINCT_TRANSPORTS, "long messages", (transport) => {
  const stage = new PublisherStage(transport);
  afterEach(() => stage.cleanup.run());

  it("are matched by their first frame, however long that is, text or octets", async () => {
    const publisher = await stage.open();
    const topics = ["", "a", "ab", "b", "a".repeat(4_096), `${"a".repeat(100)}b`];
    const subscribers: Subscriber[] = [];
    for (const topic of topics) subscribers.push(await stage.join(publisher, topic, "~"));
    const sizes = [4_095, 4_096, 4_097, 32_767, 32_768, 100_000];
    const sent: string[] = [];
    for (const size of sizes) {
      for (const start of ["a".repeat(100), "ab", "b", "c", `${"a".repeat(100)}bc`]) {
        sent.push(start.padEnd(size, "a"));
      }
    }
    for (const [i, text] of sent.entries()) {
      await publisher.send([i % 2 === 0 ? text : utf8(text), String(i), utf8(text)]);
    }
    await publisher.send("~");
    for (const [who, topic] of topics.entries()) {
      for (const [i, text] of sent.entries()) {
        if (!text.startsWith(topic)) continue;
        const [first, number, last] = await subscribers[who].receive();
        assertEquals(String(number), String(i), `topic ${topic.slice(0, 10)}`);
        assert(String(first) === text && String(last) === text);
      }
      assertEquals(await takeMany(subscribers[who], 1), ["~"]);
    }
  });

  it("take no more memory with conflate than the newest for each subscriber", async () => {
    const size = 1_000_000;
    const publisher = await stage.open({ conflate: true });
    const slow = await stage.stall(publisher);
    const send = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i++) await publisher.send(pattern(size, i));
    };
    await send(0, 50);
    const before = memory();
    await send(50, 300);
    assertLess(memory() - before, 100 * size);
    slow.resume();
    let last: Uint8Array = new Uint8Array(0);
    await eventually(async () => {
      [last] = await slow.hear();
      return sameOctets(last, pattern(size, 299));
    });
  });

  for (const [size, count] of [[100_000, 40], [1_000_000, 10]] as const) {
    it(`of ${size} octets arrive at five subscribers as they were`, async () => {
      const publisher = await stage.open();
      const subscribers: Subscriber[] = [];
      for (let i = 0; i < 5; i++) subscribers.push(await stage.join(publisher, "long"));
      const received = subscribers.map(async (subscriber) => {
        for (let i = 0; i < count; i++) {
          const [topic, body, tail] = await subscriber.receive();
          assertEquals([String(topic), String(tail)], [`long ${i}`, "tail"]);
          assertOctets(body, pattern(size, i));
          // What one does to its copy is no matter of the others; over inproc there is one memory.
          if (transport !== "inproc") body.fill(0);
        }
      });
      for (let i = 0; i < count; i++) {
        await publisher.send([`long ${i}`, pattern(size, i), "tail"]);
        await publisher.send(["other", pattern(size, 99)]);
      }
      await Promise.all(received);
      assertEquals(publisher.stats().dropped, 0);
    });
  }

  it("are held once for all subscribers that wait for them", async () => {
    const size = 1_000_000;
    const count = 60;
    const publisher = await stage.open({ sendHighWaterMark: count });
    const stalled: ScriptedPeer[] = [];
    for (let i = 0; i < 20; i++) stalled.push(await stage.stall(publisher));
    const before = memory();
    for (let i = 0; i < count; i++) await publisher.send(pattern(size, i));
    const grown = memory() - before;
    // Twenty copies would be 1.2 GB.
    assertLess(grown, 4 * count * size, `${grown / MB} MB`);
    const [first] = stalled;
    for (const other of stalled.slice(1)) other.leave();
    first.resume();
    for (let i = 0; i < count; i++) assertOctets((await first.hear())[0], pattern(size, i));
  });
});
